import { testStorage } from "../support/storageSuite";

testStorage("gcs");
