"""What the persona promises of each answer: one function a promise, which yields what breaks it."""
