import { testStorage } from "../support/storageSuite";

testStorage("azure");
