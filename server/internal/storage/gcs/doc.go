// Package gcs is a storage driver for Google Cloud Storage. Importing it registers
// the driver under the name "gcs".
//
// Objects lie where the engine's driver puts them and look like its own, so each
// driver can use the other's bucket, and continue uploads that the other began.
// Unlike the engine's, this driver accepts only answers of Google, reports what it
// could not find out, works in any folder, retries what failed once and checks
// what it uploaded.
//
// # Parameters
//
//	bucket         required
//	keyfile        JSON key of a service account, or
//	credentials    the same, as a table; without either, the machine's identity
//	rootdirectory  prefix of all objects
//	chunksize      bytes per request of an upload, a multiple of 256 KiB (default
//	               16 MiB); each upload holds one chunk in memory
//	maxconcurrency operations at a time, 25 or more (default 50)
//	useragent      in place of the client's own
//
// # Uploads in progress
//
// Files larger than a chunk are sent in a session of Google's. A writer that is
// closed before it is committed leaves an object of a type of its own at its path.
// The object has the address of the session, a sum of the bytes that the session
// has, and the last bytes, which are too few for a request. Nothing takes this
// object for a file.
//
// Several servers may write to one upload. Each replaces only the object that it
// continues from, which it knows by the generation, and moves only the object that
// it has committed. The sum shows if a session has bytes of another server.
package gcs
