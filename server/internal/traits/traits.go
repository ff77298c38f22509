// Package traits knows what the drivers of stores are like, where they differ.
package traits

import "time"

// Traits are those of one driver.
type Traits struct {
	// Folder says that a store is a folder of this machine.
	Folder bool
	// ListsAll says that a walk is one long listing of all files, in the order of their names. The walk
	// of the others goes from folder to folder, one at a time, and most give up when one is deleted
	// meanwhile.
	ListsAll bool
	// Lag is how far its listings are behind.
	Lag time.Duration
}

// Of has them by what a driver is called: in the configuration, and by itself.
var Of = map[string]Traits{
	"filesystem": {Folder: true},
	"inmemory":   {},
	"s3":         {ListsAll: true},
	"s3aws":      {ListsAll: true},
	"azure":      {},
	"gcs":        {},
	"swift":      {Lag: 10 * time.Minute},
	"oss":        {ListsAll: true},
}
