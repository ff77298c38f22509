package store

import "time"

// Patience is how long a store may take for one small request. Most drivers would wait forever; Google's
// client would retry forever.
const Patience = 30 * time.Second

// slowest is the number of bytes per second that any store is expected to transfer.
const slowest = 16 << 10

// TimeFor is how long a store may take for content of that length, in addition to Patience.
func TimeFor(length int) time.Duration { return time.Duration(length) * time.Second / slowest }
