"""The generation function: prompt in, image in the campaign's bucket out.

Importing this package does nothing. `models` needs only pydantic, so that the infrastructure program, the policies and
the command line share the table of models without the function's other dependencies.
"""
