// Package oss is a storage driver for Alibaba Cloud Object Storage Service.
// Importing it registers the driver under the name "oss".
//
// Objects lie where the driver of distribution v2 put them, so a bucket of an
// old registry can be used as it is.
//
// Requests are virtual-hosted (the bucket is part of the host name, OSS refuses
// path style) and carry Signature V4.
//
// # Parameters
//
//	region                     required; "cn-hangzhou", or as in v2 "oss-cn-hangzhou"
//	bucket                     required
//	accesskeyid                key pair; without it the RAM role of the ECS instance
//	accesskeysecret            is used, through the instance metadata service
//	ramrole                    name of that role; looked up when left empty
//	endpoint                   host[:port] or URL, in place of the region's endpoint
//	internal                   use the region's internal endpoint (default false)
//	accelerate                 use the transfer acceleration endpoint (default false)
//	secure                     use HTTPS (default true)
//	encrypt                    server-side encryption with AES256 (default false)
//	encryptionkeyid            encrypt with this KMS key; needs encrypt
//	chunksize                  bytes per part of an upload (default 10 MiB, at least
//	                           100 KiB); each upload holds one chunk in memory, and
//	                           a blob has at most 10,000 parts
//	multipartcopythresholdsize objects above this size are copied in parts
//	                           (default 256 MiB, at most 1 GiB)
//	rootdirectory              prefix of all objects
//	useragent                  added to the User-Agent header
//
// # Permissions
//
// On the bucket: oss:ListObjects, oss:ListMultipartUploads. On its objects:
// oss:GetObject, oss:PutObject, oss:DeleteObject, oss:ListParts,
// oss:AbortMultipartUpload. With encryptionkeyid also kms:GenerateDataKey and
// kms:Decrypt on the key.
//
// # Uploads in progress
//
// A writer that is closed before it is committed leaves its state in a small
// object beside its path, named path~upload. No driver path can have that name,
// and List and Walk hide it. It goes away when the upload is committed or
// cancelled, or when the path or a folder above it is deleted.
//
// # Several servers of one bucket
//
// Two servers may write to one upload, and give its parts the same numbers. A
// writer moves only what it has committed, which it knows by the ETag, and
// nothing that another writer has put in its place (layout.ErrOvertaken). If the
// answer to the end of an upload is lost, the writer recognises its object by
// CRC-64 and size, and a plain one by the SHA-256 in its metadata
// (x-oss-meta-sha256). A plain object does not replace another one at the path
// of an upload that is on record (x-oss-forbid-overwrite).
//
// Some cases remain. The end of a multipart upload does replace an object, whose
// writer is then refused when it moves the object. A request that OSS carries
// out after the move leaves an object at the path of the upload until a garbage
// collection finds it. A bucket with versions ignores x-oss-forbid-overwrite:
// there, too, the writer is refused, except if two plain objects have the same
// MD5, and so the same ETag.
//
// # Redirects
//
// With internal, clients are redirected to the public endpoint of the region,
// because they may be outside Alibaba's network. With an IP address as the
// endpoint there are no redirects: clients can't resolve a name that has the bucket in it.
package oss
