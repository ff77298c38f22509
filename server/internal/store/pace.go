package store

import "time"

// slowest is how many bytes a second are expected of any store.
const slowest = 16 << 10

// TimeFor is how long a store may take for content of that length, beside what it may for a small
// request.
func TimeFor(length int) time.Duration { return time.Duration(length) * time.Second / slowest }
