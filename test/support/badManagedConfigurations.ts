import { BadConfiguration } from "./badConfigurations";

/** Configurations of hosted registries that are refused. */
export const badManagedConfigurations: BadConfiguration[] = [
  {
    title: "a key of another target",
    config: {
      port: 5001,
      ecr: {
        repositories: ["app"],
      },
    },
    problems: ["ecr: has no meaning for target single-node: it belongs to ecr"],
  },
  {
    title: "ECR without a repository",
    config: {
      target: "ecr",
    },
    problems: [
      "ecr.repositories: is missing; Amazon takes pushes to known repositories only: team-a/app, or team-a/* for all below",
    ],
  },
  {
    title: "keys of a self-hosted registry for ECR",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      hostname: "registry.example.com",
      port: 5001,
      tls: {
        mode: "off",
      },
      users: [
        {
          name: "a",
          password: "MARKER",
        },
      ],
      acr: {
        location: "westeurope",
      },
    },
    problems: [
      "hostname: has no meaning for target ecr: the registry has a name of Amazon's",
      "port: has no meaning for target ecr: Amazon serves on port 443",
      "tls: has no meaning for target ecr: Amazon's certificate is used",
      "users: has no meaning for target ecr: identities of Amazon log in; name them in ecr.readers and ecr.writers",
      "acr: has no meaning for target ecr: it belongs to acr",
    ],
  },
  {
    title: "names and identities that Amazon does not know",
    config: {
      target: "ecr",
      ecr: {
        region: "Frankfurt",
        repositories: ["App", "app", "app", "*"],
        kmsKey: "my-key",
        readers: ["ci"],
        writers: ["*"],
      },
    },
    problems: [
      'ecr.region: "Frankfurt" is not allowed; give an AWS region such as eu-central-1',
      'ecr.repositories[0]: "App" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      'ecr.repositories[3]: "*" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      'ecr.repositories[2]: "app" is in the list already',
      'ecr.kmsKey: "my-key" is not allowed; give the key\'s ARN: arn:aws:kms:<region>:<account>:key/<id>',
      'ecr.readers[0]: "ci" is not allowed; give the ARN of an account (…:root), user or role: arn:aws:iam::<account>:role/<name>',
      'ecr.writers[0]: "*" is not allowed; give the ARN of an account (…:root), user or role: arn:aws:iam::<account>:role/<name>',
    ],
  },
  {
    title: "one identity in both lists of ECR",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
        readers: ["arn:aws:iam::123456789012:root"],
        writers: ["arn:aws:iam::123456789012:root"],
      },
    },
    problems: ["ecr.readers[0]: is in ecr.writers too, who may pull as well; remove it here"],
  },
  {
    title: "exceptions without a rule for tags in ECR",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
        immutableTags: false,
        mutableTags: ["*a*b*", "b", "c", "d", "e", "f"],
      },
    },
    problems: [
      "ecr.mutableTags: are exceptions of ecr.immutableTags, which is false; remove one of them",
      'ecr.mutableTags[0]: "*a*b*" is not allowed; give a tag such as latest, or a pattern with two * at most',
      "ecr.mutableTags: has more than the 5 exceptions that Amazon allows",
    ],
  },
  {
    title: "a schedule for Amazon, and a rule tried out",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app", "team-a/*"],
      },
      garbageCollection: {
        schedule: "0 3 * * *",
        timeZone: "Europe/Berlin",
        retention: [
          {
            keepNewest: 5,
          },
        ],
      },
    },
    problems: [
      "garbageCollection.schedule: has no meaning for target ecr: Amazon collects by itself, within a day",
      "garbageCollection.timeZone: has no meaning for target ecr: Amazon collects by itself, within a day",
      "garbageCollection.retentionDryRun: must be false for target ecr: Amazon applies rules at once; try them in its console first",
    ],
  },
  {
    title: "rules that Amazon can't follow",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app", "team-a/*"],
      },
      garbageCollection: {
        retentionDryRun: false,
        retention: [
          {
            keepNewest: 5,
            keepDays: 30,
          },
          {
            keepTags: ["v*"],
          },
          {},
          {
            repositories: ["team-a/app", "other"],
            keepNewest: 5,
            keepTags: ["*a*b*c*d*", "a/b"],
          },
          {
            repositories: [],
            keepNewest: 0,
            keepDays: 1.5,
          },
        ],
      },
    },
    problems: [
      "garbageCollection.retention[2]: would keep nothing; give keepNewest, keepDays or keepTags",
      'garbageCollection.retention[3].keepTags[1]: "a/b" is not allowed; give a tag such as latest, or a pattern such as v*',
      "garbageCollection.retention[4].keepNewest: 0 is not allowed; give a whole number of 1 or more",
      "garbageCollection.retention[4].keepDays: 1.5 is not allowed; give a whole number from 1 to 36500",
      "garbageCollection.retention[4].repositories: is empty; name repositories, or leave it out for all",
      "garbageCollection.retention[0].keepDays: can't stand beside garbageCollection.retention[0].keepNewest for target ecr: Amazon deletes what either names; give one of them",
      "garbageCollection.retention[1].keepTags: needs keepNewest or keepDays beside it for target ecr: Amazon deletes by number or by age",
      'garbageCollection.retention[3]: keeps tags by "*a*b*c*d*", and Amazon allows four * in a pattern',
      'garbageCollection.retention[3].repositories[0]: "team-a/app" names a part of team-a/* in ecr.repositories; list it there too',
      'garbageCollection.retention[3].repositories[1]: "other" names none of ecr.repositories',
      "garbageCollection.retention[4].keepDays: can't stand beside garbageCollection.retention[4].keepNewest for target ecr: Amazon deletes what either names; give one of them",
    ],
  },
  {
    title: "tags to keep without a rule",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app", "team-a/*"],
      },
      garbageCollection: {
        alwaysKeepTags: ["latest"],
      },
    },
    problems: ["garbageCollection.alwaysKeepTags: needs garbageCollection.retention; without a rule no tag is deleted"],
  },
  {
    title: "Docker Hub without a login for ECR, and a time to keep",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      mirror: {
        ttl: "24h",
      },
    },
    problems: [
      "mirror.ttl: can't be chosen: Amazon keeps what it fetched, and looks for newer images once a day",
      "mirror.username: is missing; Amazon fetches from registry-1.docker.io with a login only",
    ],
  },
  {
    title: "an upstream that Amazon does not know",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      mirror: {
        upstream: "https://registry.example.com",
      },
    },
    problems: [
      "mirror.upstream: Amazon can't fetch from registry.example.com; it can from registry-1.docker.io, public.ecr.aws, registry.k8s.io, quay.io, ghcr.io, registry.gitlab.com, cgr.dev, *.azurecr.io",
    ],
  },
  {
    title: "an upstream with a path",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      mirror: {
        upstream: "https://quay.io/team",
      },
    },
    problems: ['mirror.upstream: "https://quay.io/team" is not allowed; give a URL such as https://quay.io, without path'],
  },
  {
    title: "a login that Amazon does not use",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      mirror: {
        upstream: "https://quay.io",
        username: "us",
        password: "MARKER",
      },
    },
    problems: ["mirror.username: is not used: Amazon fetches from quay.io without a login"],
  },
  {
    title: "half a login for Amazon at the upstream",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
      },
      mirror: {
        username: "us",
      },
    },
    problems: ["mirror.password: is missing; it belongs to mirror.username"],
  },
  {
    title: "keys of a mirror on a Docker host, and an empty login",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"] },
      mirror: { port: 5001, caCertificates: "ca.crt", username: "", password: "" },
    },
    problems: [
      "mirror.port: has no meaning for a mirror that Amazon runs",
      "mirror.caCertificates: has no meaning for a mirror that Amazon runs",
      "mirror.username: is empty; leave both out to ask the upstream without a login",
    ],
  },
  {
    title: "images for repositories that are not made",
    config: {
      target: "ecr",
      ecr: { repositories: ["app", "team-a/*"] },
      builds: [
        { name: "app", context: "server" },
        { name: "team-a/app", context: "server" },
        { name: "team-b/app", context: "server" },
      ],
    },
    problems: ['builds[2].name: "team-b/app" is none of ecr.repositories; list it there'],
  },
  {
    title: "a repository where the mirror is",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["quay/app"],
      },
      mirror: {
        upstream: "https://quay.io",
      },
    },
    problems: ["ecr.repositories: has names below quay, where the mirror keeps its images; choose another ecr.mirrorPrefix"],
  },
  {
    title: "a mirror's prefix without a mirror",
    config: {
      target: "ecr",
      ecr: {
        repositories: ["app"],
        mirrorPrefix: "Hub",
      },
    },
    problems: [
      "ecr.mirrorPrefix: needs mirror",
      'ecr.mirrorPrefix: "Hub" is not allowed; give the first part of a repository\'s name',
    ],
  },
  {
    title: "Azure without a place",
    config: {
      target: "acr",
    },
    problems: ["acr.location: is missing; a resource group is made there, unless acr.resourceGroup names one"],
  },
  {
    title: "names and identities that Azure does not know",
    config: {
      target: "acr",
      acr: {
        name: "my-registry",
        resourceGroup: "/subscriptions/1",
        location: "West Europe",
        sku: "Free",
        readers: ["11111111-2222-3333-4444-555555555555"],
      },
    },
    problems: [
      'acr.name: "my-registry" is not allowed; give 5 to 50 letters and digits',
      'acr.resourceGroup: "/subscriptions/1" is not allowed; give the name of a resource group, not its ID',
      'acr.location: "West Europe" is not allowed; give a region as Azure\'s command line names it, such as westeurope',
      'acr.sku: "Free" is not allowed; choose Basic, Standard, Premium',
      'acr.readers[0]: "11111111-2222-3333-4444-555555555555" is not allowed; give user:<object ID>, group:<object ID> or servicePrincipal:<object ID>, which is a managed identity too',
    ],
  },
  {
    title: "what only Premium has",
    config: {
      target: "acr",
      acr: {
        location: "westeurope",
        zoneRedundancy: true,
      },
      garbageCollection: {
        deleteUntagged: true,
      },
    },
    problems: [
      "acr.zoneRedundancy: needs acr.sku Premium, and that is Standard",
      "garbageCollection.deleteUntagged: needs acr.sku Premium, and that is Standard",
    ],
  },
  {
    title: "rules for tags in Azure",
    config: {
      target: "acr",
      acr: {
        location: "westeurope",
        untaggedDays: 366,
      },
      garbageCollection: {
        schedule: "@daily",
        retention: [
          {
            keepNewest: 5,
          },
        ],
        retentionDryRun: false,
      },
    },
    problems: [
      "acr.untaggedDays: needs garbageCollection.deleteUntagged true",
      "acr.untaggedDays: 366 is not allowed; give a whole number from 0 to 365",
      "garbageCollection.schedule: has no meaning for target acr: Azure collects by itself",
      "garbageCollection.retention: is nothing that Azure can do: it deletes untagged manifests only; delete tags with az acr run and acr purge",
      "garbageCollection.retentionDryRun: has no meaning for target acr: Azure knows no rules for tags",
    ],
  },
  {
    title: "a login at the upstream and no vault",
    config: {
      target: "acr",
      acr: {
        location: "westeurope",
      },
      mirror: {
        username: "us",
        password: "MARKER",
      },
    },
    problems: ["acr.mirrorVault: is missing; Azure reads the login at the upstream from a key vault"],
  },
  {
    title: "a vault and no login at the upstream",
    config: {
      target: "acr",
      acr: {
        location: "westeurope",
        mirrorVault: "logins",
        mirrorPrefix: "hub",
      },
      mirror: {
        upstream: "https://mcr.microsoft.com",
      },
    },
    problems: [
      "acr.mirrorVault: needs mirror.username and mirror.password, which are put there",
      'acr.mirrorVault: "logins" is not allowed; give the vault\'s resource ID: /subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/<name>',
    ],
  },
  {
    title: "an upstream that Azure does not know",
    config: {
      target: "acr",
      acr: {
        location: "westeurope",
      },
      mirror: {
        upstream: "https://registry.gitlab.com",
      },
    },
    problems: [
      "mirror.upstream: Azure can't fetch from registry.gitlab.com; it can from registry-1.docker.io, mcr.microsoft.com, public.ecr.aws, ghcr.io, quay.io, registry.k8s.io",
    ],
  },
  {
    title: "Google without a place",
    config: {
      target: "artifact-registry",
    },
    problems: ["artifactRegistry.location: is missing; give a region such as europe-west3, or europe, us or asia"],
  },
  {
    title: "names and identities that Google does not know",
    config: {
      target: "artifact-registry",
      artifactRegistry: {
        location: "Frankfurt",
        project: "P",
        repository: "my_images",
        kmsKey: "key",
        readers: ["allUsers", "ci@example.com"],
        labels: {
          Team: "a",
        },
      },
    },
    problems: [
      'artifactRegistry.location: "Frankfurt" is not allowed; give a region such as europe-west3, or europe, us or asia',
      'artifactRegistry.project: "P" is not allowed; give a project\'s ID',
      'artifactRegistry.repository: "my_images" is not allowed; give 2 to 63 small letters, digits and hyphens, a letter first',
      'artifactRegistry.kmsKey: "key" is not allowed; give the key\'s name: projects/…/locations/…/keyRings/…/cryptoKeys/…',
      'artifactRegistry.readers[0]: "allUsers" is not allowed; give user:…, group:…, serviceAccount:…, domain:…, principal://… or principalSet://…; not allUsers, to whom it would be open',
      'artifactRegistry.readers[1]: "ci@example.com" is not allowed; give user:…, group:…, serviceAccount:…, domain:…, principal://… or principalSet://…; not allUsers, to whom it would be open',
      "artifactRegistry.labels.Team: has a name that is not allowed; use small letters, digits, _ and -, a letter first",
    ],
  },
  {
    title: "rules that Google can't follow",
    config: {
      target: "artifact-registry",
      artifactRegistry: {
        location: "europe",
        immutableTags: false,
      },
      garbageCollection: {
        deleteUntagged: true,
        alwaysKeepTags: ["latest"],
        retention: [
          {
            repositories: ["app"],
            keepNewest: 5,
          },
          {
            repositories: ["team-a/*"],
            keepTags: ["v*.0"],
          },
          {
            keepDays: 30,
          },
        ],
      },
    },
    problems: [
      'garbageCollection.alwaysKeepTags[0]: "latest" is not possible: Google keeps tags by how they begin; give a pattern such as "latest*"',
      "garbageCollection.deleteUntagged: can't be done while garbageCollection.retentionDryRun is true: Google tries out all of its policies or none",
      'garbageCollection.retention[0].repositories[0]: "app" is not possible: Google selects by how names begin, and this would select app-2 too; give a prefix such as team-a/*',
      'garbageCollection.retention[1].keepTags[0]: "v*.0" is not possible: Google keeps tags by how they begin; give a pattern such as "v*"',
      "garbageCollection.retention[2]: names repositories of garbageCollection.retention[0] too, and for Google both rules would count; make them distinct",
    ],
  },
  {
    title: "more rules than Google takes",
    config: {
      target: "artifact-registry",
      artifactRegistry: {
        location: "europe",
        immutableTags: false,
      },
      garbageCollection: {
        retention: [
          {
            repositories: ["a/*"],
            keepNewest: 1,
          },
          {
            repositories: ["b/*"],
            keepNewest: 1,
          },
          {
            repositories: ["c/*"],
            keepNewest: 1,
          },
          {
            repositories: ["d/*"],
            keepNewest: 1,
          },
          {
            repositories: ["e/*"],
            keepNewest: 1,
          },
          {
            repositories: ["f/*"],
            keepNewest: 1,
          },
        ],
      },
    },
    problems: ["garbageCollection.retention: would be more than the 10 policies that Google allows"],
  },
  {
    title: "rules for tags that Google may not delete",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe" },
      garbageCollection: { retention: [{ keepNewest: 10 }], retentionDryRun: false },
    },
    problems: [
      "artifactRegistry.immutableTags: true, the default, is not allowed with garbageCollection.retention: Google deletes no image that has an immutable tag; set it to false, or remove the rules",
    ],
  },
  {
    title: "an existing registry without a name",
    config: {
      target: "external",
    },
    problems: ["external.hostname: is missing; give the registry's name, such as docker.io or harbor.example.com"],
  },
  {
    title: "a URL for an existing registry",
    config: {
      target: "external",
      external: {
        hostname: "https://harbor.example.com",
        port: 0,
        path: "Team/*",
        username: "a:b",
        password: "",
      },
    },
    problems: [
      'external.hostname: "https://harbor.example.com" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
      "external.port: 0 is not allowed; give a whole number from 1 to 65535",
      'external.path: "Team/*" is not allowed; give the first part of repositories\' names, such as my-team or group/project',
      'external.username: "a:b" is not allowed; give a name without spaces and colons',
      "external.password: is empty; leave it and external.username out to use the registry without a login",
    ],
  },
  {
    title: "half a login at an existing registry",
    config: {
      target: "external",
      external: {
        hostname: "quay.io",
        username: "us",
      },
    },
    problems: ["external.password: is missing; a login is both external.username and external.password"],
  },
  {
    title: "the other half of a login at an existing registry",
    config: {
      target: "external",
      external: {
        hostname: "quay.io",
        password: "MARKER\n",
      },
    },
    problems: [
      "external.username: is missing; a login is both external.username and external.password",
      "external.password: has a line break or a zero byte; no client can send that",
    ],
  },
  {
    title: "plain HTTP to an existing registry beyond loopback, with a CA",
    config: {
      target: "external",
      external: {
        hostname: "registry.example.com",
        insecure: true,
        caCertificate: "ca.crt",
      },
    },
    problems: [
      "external.caCertificate: has no PEM certificate; give the CA of the registry, `-----BEGIN CERTIFICATE-----` first",
      "external.caCertificate: has no meaning with external.insecure true: plain HTTP has no certificate",
      "external.insecure: true is accepted on loopback addresses only, and registry.example.com is not one; use TLS, or set allowInsecure to true if you accept the risk",
    ],
  },
  {
    title: "what is run elsewhere",
    config: {
      target: "external",
      external: {
        hostname: "quay.io",
      },
      lab: true,
      storage: {
        driver: "s3",
      },
    },
    problems: [
      "lab: has no meaning for target external: nothing is made here, so that there is nothing to delete",
      "storage: has no meaning for target external: images are kept where the registry is run",
    ],
  },
];
