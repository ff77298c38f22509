// Package gcs is a storage driver for Google Cloud Storage. Importing it registers
// the driver under the name "gcs".
//
// Objects lie where the engine's driver puts them and look as its own do, so each
// goes on with the other's bucket, and with uploads that the other began. Unlike
// the engine's, this one believes Google alone, says what it could not find out,
// takes any folder, tries again what failed once and looks at what it uploaded.
//
// # Parameters
//
//	bucket         required
//	keyfile        JSON key of a service account, or
//	credentials    the same, as a table; without both the identity of the machine
//	rootdirectory  prefix of all objects
//	chunksize      bytes per request of an upload, a multiple of 256 KiB (default
//	               16 MiB); each upload holds one chunk in memory
//	maxconcurrency operations at a time, 25 or more (default 50)
//	useragent      in place of the client's own
//
// # Uploads in progress
//
// What is larger than a chunk is sent in a session of Google's. A writer that is
// closed before it is committed leaves an object of a type of its own at its path,
// with the address of that session, a sum of what it has, and the last bytes, which
// are too few for it. Nothing else takes that for a file.
//
// Several servers may write to one upload. Each replaces only the object that it
// goes on from, by its generation, and moves only the one that it has committed.
// What a session has of another server shows by its sum.
package gcs
