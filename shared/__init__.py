"""What the responders share. Imports point one way: responders → shared → clients → model, errors."""
