/** The configuration of a driver with these options. */
export const storage = (driver: string, options: object): Record<string, unknown> => ({ storage: { driver, [driver]: options } });
