"""Ways in which the reference server can break a requirement: `spec/faults.yaml` describes each."""
