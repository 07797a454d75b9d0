"""Ways in which the reference server can differ and still conform: `spec/variants.yaml` describes each."""
