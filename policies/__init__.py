"""One catalogue of controls, and the Pulumi policy pack that is built from it."""
