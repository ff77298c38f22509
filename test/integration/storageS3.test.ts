import { testStorage } from "../support/storageSuite";

testStorage("s3");
