"""Whether a service loops: failures to ladder, suspicion, incident."""
