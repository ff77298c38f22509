// Package swift is a storage driver of the registry engine for OpenStack Swift.
//
// # Layout of the container
//
//	<rootdirectory>/files/<path>         what the engine stores: a plain object, or the manifest of a large one
//	<rootdirectory>/uploads/<path>       the record of an upload that is not committed yet
//	<rootdirectory>/segments/<id>/<n>-…  the segments of the upload with that id
//
// The files/ part is laid out as the driver of distribution v2 did it, so a registry that is moved from v2 finds
// its data when rootdirectory is what prefix was. Its large objects (dynamic ones) are read and deleted as well.
//
// # Large objects
//
// Segments are joined by static large objects. A dynamic large object is whatever a container listing shows under
// a prefix, and Swift's listings lag: a blob could be read short right after its upload. A static manifest names
// every segment with its size and checksum, Swift checks them all when the manifest is written, and writing it
// puts the whole blob in place of the old one at once. Clusters limit the segments of a manifest (1000 by
// default); past that, manifests of manifests are written.
//
// An upload lives in its record until Commit: the segments stored so far, and the last bytes when they are too few
// for a segment. Appending reads that one object and goes on from there, in any process. A session that dies
// leaves the record as it was, so the upload goes on from its last Close, which is the offset the engine told its
// client. Blobs below the smallest segment size end as plain objects, with no segment ever written.
//
// Segments are written once and never overwritten, so they can't be read stale. Each writer gives its segments names of
// its own: several servers may write one upload at the same time, and one that was held up must not touch what another
// stored. A record is overwritten only while it is the one that was read. Only one writer joins the segments: the one
// that puts an object named committed, the claim, among them. The claim stays as long as the segments do, and tells
// whether their manifest was written. A deletion of an upload puts a claim there as well, so that no writer joins
// segments that are being deleted, and it leaves segments alone that a writer may be joining. A writer that has not
// finished for a day is taken for dead. If it only stood still, Swift refuses its manifest: the segments are gone.
//
// # Moving
//
// Move copies the manifest on the server; segments stay. Before that, the source is marked with its destination, so
// that deleting a source that outlived its Move can't delete the destination's segments. Swift may still be copying
// when a Move fails, so cancelling the upload then leaves the source to the purge of old uploads.
//
// # Deleting
//
// The segments of a file are deleted before the file, which lists them. Before that, a static manifest is replaced by
// an empty object with the id of their upload: a deletion that is cut off leaves this object, and no blob that looks
// whole.
//
// # Parameters
//
// authurl and container are required, and username and password, or else an application credential:
//
//	authurl                      URL of Keystone (…/v3, …/v2.0) or of tempauth (…/auth/v1.0)
//	authversion                  1, 2 or 3; taken from authurl when that ends in it
//	username, password
//	applicationcredentialid, applicationcredentialname, applicationcredentialsecret
//	tenant, tenantid             the project
//	domain, domainid             the user's domain
//	tenantdomain, tenantdomainid the project's domain, when it is another
//	trustid
//	region                       of the object store, when the catalog has several
//	endpointtype                 public (default), internal or admin
//	insecureskipverify           takes any TLS certificate
//	container                    must exist
//	rootdirectory                folder in the container
//	chunksize                    bytes of a segment, 1 MiB to 1 GiB, default 16 MiB; an upload needs two of them in memory
//	secretkey                    key for temporary URLs, which clients are then redirected to; of the account,
//	tempurlcontainerkey          or of the container when this is true; without secretkey, the key the container has
//	tempurlmethods               redirects only these methods, default GET and HEAD
//	useragent
//
// # Consistency
//
// An object that was just created can be read at once. GetContent, Stat and the reading of upload records ask all
// replicas for the newest version, since tags are overwritten. Listings (List, Walk, Delete of folders,
// Stat of folders) show what Swift's container servers know, which may be some seconds behind. A garbage
// collection works from listings; that of package garbage allows for it, the engine's own would not.
package swift
