import { BadConfiguration } from "./badConfiguration";

export const badGarbageCollection: BadConfiguration[] = [
  {
    title: "a schedule that is none",
    config: { garbageCollection: { schedule: "@daily", timeZone: "Berlin" } },
    problems: [
      'garbageCollection.schedule: "@daily" is not allowed; give five fields (minute, hour, day of month, month, day of week), such as 0 3 * * *',
      'garbageCollection.timeZone: "Berlin" is not allowed; give a name of the IANA database, such as UTC or Europe/Berlin',
    ],
  },
  {
    title: "a schedule that never comes, and one for nothing",
    config: { garbageCollection: { schedule: "0 3 31 feb *", alwaysKeepTags: ["v*"], retentionDryRun: false } },
    problems: [
      'garbageCollection.schedule: "0 3 31 feb *" is not allowed; there is no such day in any year',
      "garbageCollection.alwaysKeepTags: needs garbageCollection.retention; without rules no tag is deleted",
      "garbageCollection.retentionDryRun: needs garbageCollection.retention; without rules no tag is deleted",
    ],
  },
  {
    title: "retention rules that say nothing or something wrong",
    config: {
      garbageCollection: {
        timeZone: "UTC",
        retention: [
          { repositories: ["team"] },
          { repositories: [], keepNewest: 0, keepDays: 1.5, keepTags: [] },
          { repositories: ["Team/*"], keepTags: ["v[0-9]"] },
        ],
        alwaysKeepTags: ["a b"],
      },
    },
    problems: [
      "garbageCollection.timeZone: needs garbageCollection.schedule",
      "garbageCollection.retention[0]: would delete every tag; give keepNewest, keepDays or keepTags",
      "garbageCollection.retention[1].repositories: is empty; name repositories, or leave it out for all",
      "garbageCollection.retention[1].keepNewest: 0 is not allowed; give a whole number of 1 or more",
      "garbageCollection.retention[1].keepDays: 1.5 is not allowed; give a whole number from 1 to 36500",
      "garbageCollection.retention[1].keepTags: is empty; name tags, or leave it out",
      'garbageCollection.retention[2].repositories[0]: "Team/*" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'garbageCollection.retention[2].keepTags[0]: "v[0-9]" is not allowed; give a tag, with * for any letters',
      'garbageCollection.alwaysKeepTags[0]: "a b" is not allowed; give a tag, with * for any letters',
    ],
  },
  {
    title: "garbage collection by the stock engine",
    config: { image: `registry@sha256:${"0".repeat(64)}`, garbageCollection: { schedule: "0 3 * * *" } },
    problems: [
      "garbageCollection: is a feature of the bundled server; the stock registry's own collection deletes what is pushed meanwhile. Use image bundled",
    ],
  },
  {
    title: "zones of time that only Node.js has",
    config: { garbageCollection: { schedule: "0 3 30-31 feb *", timeZone: "SystemV/EST5" } },
    problems: [
      'garbageCollection.schedule: "0 3 30-31 feb *" is not allowed; there is no such day in any year',
      'garbageCollection.timeZone: "SystemV/EST5" is not allowed; give a name of the IANA database, such as UTC or Europe/Berlin',
    ],
  },
  ...Object.entries({ "Asia/KOLKATA": "Asia/Kolkata", "Etc/Utc": "Etc/UTC", Gmt: "GMT" }).map(([timeZone, meant]) => ({
    title: `a zone of time in other letters (${timeZone})`,
    config: { garbageCollection: { schedule: "0 3 * * *", timeZone } },
    problems: [`garbageCollection.timeZone: "${timeZone}" is not allowed; give "${meant}", as capital letters count`],
  })),
];
