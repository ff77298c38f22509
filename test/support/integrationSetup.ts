// A deployment takes seconds and a large image minutes on two slow cores; a test that hangs must end all the same.
jest.setTimeout(10 * 60_000);
