"""The checks, one a module. ``plantain.doctor.catalogue`` lists them in their order."""
