/** A policy in the language of AWS IAM. */
export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: object[];
}

/** Refuses requests to a bucket that are not encrypted in transit. */
export function tlsOnlyPolicy(bucketArn: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [bucketArn, `${bucketArn}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  };
}

/** The values that the policy of a registry depends on. */
export interface RegistryAccess {
  bucketArn: string;
  /** Folder in the bucket; nothing for its root. */
  rootDirectory?: string;
  /** ARN of the KMS key that objects are encrypted with. */
  keyId?: string;
}

/**
 * What the engine's driver does in a bucket, and no more
 * (https://distribution.github.io/distribution/storage-drivers/s3/#s3-permission-scopes).
 */
export function registryPolicy({ bucketArn, rootDirectory = "", keyId }: RegistryAccess): PolicyDocument {
  const folder = rootDirectory.replace(/^\/+|\/+$/g, "");
  return {
    Version: "2012-10-17",
    Statement: [
      {
        // For the whole bucket even with a folder: if listing depends on a prefix, S3 answers 403 instead of 404 for an
        // object that is not there, and the engine takes that for a failure of the store.
        Sid: "Bucket",
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
        Resource: bucketArn,
      },
      {
        Sid: "Objects",
        Effect: "Allow",
        Action: [
          "s3:PutObject",
          // The driver sends an ACL with every upload. In a bucket without ACLs the right to do so opens nothing.
          "s3:PutObjectAcl",
          "s3:GetObject",
          "s3:DeleteObject",
          "s3:ListMultipartUploadParts",
          "s3:AbortMultipartUpload",
        ],
        Resource: folder === "" ? `${bucketArn}/*` : `${bucketArn}/${folder}/*`,
      },
      ...(keyId === undefined
        ? []
        : [{ Sid: "Key", Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: keyId }]),
    ],
  };
}
