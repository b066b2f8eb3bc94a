"""The infrastructure: one Pulumi program that takes a stack's settings and its campaign files to Google Cloud.

`settings` and `campaign_file` say what is wanted, `naming` what things are called, each other module owns one
kind of thing, and `stack` wires them. Nothing here is read, opened or asked for when a module is imported.
"""
