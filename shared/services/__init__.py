"""Use cases as functions: they know ports, not stores."""
