// Package osstest is a test double for Alibaba Cloud Object Storage Service.
//
// It is NOT the real OSS and proves nothing about it. It was written from the
// vendor's public documentation (REST API reference, error code pages and the
// two pages on Signature V4) because no emulator exists. Where the documents
// leave a point open, the server takes the stricter reading.
//
// What it speaks: PutObject, GetObject, HeadObject, DeleteObject,
// DeleteMultipleObjects, CopyObject, the multipart operations, ListParts,
// ListMultipartUploads and ListObjectsV2, with virtual-hosted addressing only.
// Every request must carry a valid OSS4-HMAC-SHA256 signature, in its header
// or in its query. The signature code in this package is written from the
// documents and shares nothing with the vendor's SDK.
//
// State lives in memory; large bodies are spooled to files. Nothing survives
// the process.
package osstest
