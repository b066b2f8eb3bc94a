"""What would stop a deployment, found before it is begun: one check a module in ``checks``, listed in ``catalogue``."""
