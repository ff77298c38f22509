import { testStorage } from "../support/storageSuite";

testStorage("swift");
