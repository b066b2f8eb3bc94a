"""The live inventory: what Google's own APIs say is there, in the shape of the catalogue's resources."""
