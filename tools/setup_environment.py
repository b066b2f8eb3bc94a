"""Make .venv with the locked dependencies, and the Pulumi engine. Runs on any Python, to say so when it is too old.

Exit codes: 0 ready; 2 Python too old; 3 dependencies not to be had; 4 no engine (see `plantain engine`).
"""

import hashlib
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = os.path.join(ROOT, ".venv")
REQUIREMENTS = os.path.join(ROOT, "requirements", "all.txt")
INSTALLER = os.path.join(ROOT, "requirements", "installer.txt")
STAMP = os.path.join(ENVIRONMENT, "installed.sha256")
POLICY_REQUIREMENTS = os.path.join(ROOT, "requirements", "policies.txt")
POLICY_ENVIRONMENT = os.path.join(ENVIRONMENT, "policies")
POLICY_STAMP = "installed.sha256"
NEEDED_BYTES = 1600 * 1024 * 1024
PYTHON_TOO_OLD, NO_DEPENDENCIES = 2, 3


def fail(code, message, cure):
    sys.stderr.write("error: %s\n  cure: %s\n" % (message, cure))
    sys.exit(code)


def python():
    folder = "Scripts" if os.name == "nt" else "bin"
    return os.path.join(ENVIRONMENT, folder, "python")


def wanted():
    digest = hashlib.sha256(sys.version.encode())
    for path in (REQUIREMENTS, INSTALLER, os.path.join(ROOT, "pyproject.toml")):
        with open(path, "rb") as file:
            digest.update(file.read())
    digest.update(ROOT.encode())
    return digest.hexdigest()


def installed():
    try:
        with open(STAMP) as file:
            return file.read() == wanted()
    except OSError:
        return False


def run(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-12:])
        fail(
            NO_DEPENDENCIES,
            "the dependencies cannot be installed, so nothing can run:\n%s" % tail,
            "check that pip reaches a package index (pip download pip), then run make setup again",
        )


def install():
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        fail(
            NO_DEPENDENCIES,
            "only %d MB are free on the disk of %s; the dependencies need %d MB"
            % (free >> 20, ROOT, NEEDED_BYTES >> 20),
            "free some space, then run make setup again",
        )
    print("Installing the locked dependencies into .venv ...", flush=True)
    run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
    run(python(), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", INSTALLER)
    uv = (python(), "-m", "uv", "pip", "install", "--quiet", "--python", python())
    run(*uv, "--require-hashes", "-r", REQUIREMENTS)
    run(*uv, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    with open(STAMP, "w") as file:
        file.write(wanted())


def policies_wanted():
    digest = hashlib.sha256(sys.version.encode())
    with open(POLICY_REQUIREMENTS, "rb") as file:
        digest.update(file.read())
    digest.update(ROOT.encode())
    return digest.hexdigest()


def policies_installed():
    try:
        with open(os.path.join(POLICY_ENVIRONMENT, POLICY_STAMP)) as file:
            return file.read() == policies_wanted()
    except OSError:
        return False


def install_policies():
    """Make the policy pack's environment beside its place and move it there, so that no run sees half of it."""
    print("Installing the policy pack's dependencies into .venv/policies ...", flush=True)
    made = "%s-%d" % (POLICY_ENVIRONMENT, os.getpid())
    folder = "Scripts" if os.name == "nt" else "bin"
    uv = (python(), "-m", "uv")
    try:
        run(*uv, "venv", "--quiet", "--relocatable", "--python", python(), made)
        inside = os.path.join(made, folder, "python")
        install = (*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", inside)
        run(*install, "--require-hashes", "-r", POLICY_REQUIREMENTS)
        with open(os.path.join(made, POLICY_STAMP), "w") as file:
            file.write(policies_wanted())
        put_policies(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def put_policies(made):
    """Move an environment to its place. Of two runs at once the later one finds the place taken and keeps what is there."""
    if policies_installed():
        return
    old = made + "-old"
    try:
        os.rename(POLICY_ENVIRONMENT, old)
    except OSError:
        pass  # There was none, or another run has just moved it.
    try:
        os.rename(made, POLICY_ENVIRONMENT)
    except OSError:
        if not policies_installed():
            raise
    shutil.rmtree(old, ignore_errors=True)


def main():
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            PYTHON_TOO_OLD,
            "this is Python %s, and Plantain needs %d.%d or newer" % ((found,) + OLDEST),
            "install a newer one and name it: make setup PYTHON=python3.13",
        )
    if not installed():
        install()
    if not policies_installed():
        install_policies()
    # Fetched here, because a shell that talks to the sandbox reaches nothing else.
    run(python(), "-m", "infra.wheels", "local")
    sys.exit(subprocess.call([python(), "-m", "plantain.main", "engine"], cwd=ROOT))


if __name__ == "__main__":
    main()
