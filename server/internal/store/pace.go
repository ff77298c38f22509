package store

import "time"

// Patience is how long a store may take for one small request. Most drivers would wait for ever; Google's
// client would ask again for ever.
const Patience = 30 * time.Second

// slowest is how many bytes a second are expected of any store.
const slowest = 16 << 10

// TimeFor is how long a store may take for content of that length, beside its Patience.
func TimeFor(length int) time.Duration { return time.Duration(length) * time.Second / slowest }
