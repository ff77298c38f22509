import { badAddress } from "./address";
import { badBuilds } from "./builds";
import { badContainer } from "./container";
import { badCors } from "./cors";
import { badGarbageCollection } from "./garbageCollection";
import { badImage } from "./image";
import { badAcr } from "./managed/acr";
import { badArtifactRegistry } from "./managed/artifactRegistry";
import { badEcr } from "./managed/ecr";
import { badExternal } from "./managed/external";
import { badMirror } from "./mirror";
import { badObservation } from "./observation";
import { badStackConfig } from "./stackConfig";
import { badAzure } from "./storage/azure";
import { badStorage } from "./storage/driver";
import { badFilesystem } from "./storage/filesystem";
import { badGcs } from "./storage/gcs";
import { badOss } from "./storage/oss";
import { badS3 } from "./storage/s3";
import { badSwift } from "./storage/swift";
import { badTls } from "./tls";
import { badUsers } from "./users";

/** Every configuration that is refused, in files that mirror `components/checks` and `components/managed`. */
export const badConfigurations = [
  ...badStackConfig,
  ...badAddress,
  ...badTls,
  ...badUsers,
  ...badCors,
  ...badMirror,
  ...badObservation,
  ...badImage,
  ...badGarbageCollection,
  ...badContainer,
  ...badBuilds,
  ...badStorage,
  ...badFilesystem,
  ...badS3,
  ...badAzure,
  ...badGcs,
  ...badSwift,
  ...badOss,
  ...badEcr,
  ...badAcr,
  ...badArtifactRegistry,
  ...badExternal,
];
