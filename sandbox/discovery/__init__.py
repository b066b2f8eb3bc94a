"""Google's own descriptions of the APIs, reduced: routes, parameters and field shapes of each service version."""
