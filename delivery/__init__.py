"""What pipelines run. The pipelines themselves are templates in the folders below."""
