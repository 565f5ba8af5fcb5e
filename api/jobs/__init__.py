"""What was sent to be stored, on its way into the store: taken to disk, made into bundles, loaded."""
