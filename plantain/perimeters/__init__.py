"""What a perimeter refuses: from audit logs to rules, from settings to an answer without a cloud."""
