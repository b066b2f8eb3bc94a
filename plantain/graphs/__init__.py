"""Pictures of what is deployed: from the state to a drawing of projects, perimeter, identities and data paths."""
