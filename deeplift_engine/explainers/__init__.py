"""Attribution methods: rules and what is done with what arrives, and runners on forward alone."""
