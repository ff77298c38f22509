import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Access, User } from "../args/registry";
import { passwordHashProblem, passwordProblem, userProblems } from "../checks/users";
import { bcryptHash, Permission, renderHtpasswd } from "../render/htpasswd";
import { checkWhenKnown, readArguments, throwProblems } from "../checks/inputs";

/** Who may log in. */
export interface RegistryUsersArgs {
  /** Who may log in, every name once. */
  users: User[];
  /** Lets everybody pull without a login. Default: `false`. */
  anonymousPull?: boolean;
}

/** A user's password, unless only the hash of it is known. */
interface Password {
  password?: pulumi.Output<string>;
  hash: pulumi.Output<string>;
}

/** Passwords, generated or given, and the htpasswd file made from them. */
export class RegistryUsers extends pulumi.ComponentResource {
  /** The htpasswd file. Secret. */
  public readonly htpasswd: pulumi.Output<string>;
  /** Name of the first user; empty without users. */
  public readonly username: pulumi.Output<string>;
  /** Password of the first user; empty without users. Secret. */
  public readonly password: pulumi.Output<string>;
  /** Password of every user by name, but for those that were given as hashes. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: RegistryUsersArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the passwords among them.
    super("container-registry:index:RegistryUsers", name, {}, opts);
    args = readArguments("RegistryUsers", args);
    throwProblems(userProblems(args.users));

    const users = args.users.map((user, index) => ({ name: user.name, passwords: this.createPasswords(name, user, index) }));
    const entries = pulumi.all(users.flatMap((user) => user.passwords.map(({ hash }) => ({ name: user.name, hash }))));
    this.htpasswd = pulumi.secret(
      entries.apply((known) =>
        renderHtpasswd({ entries: known, permissions: permissions(args.users), anonymousPull: args.anonymousPull ?? false }),
      ),
    );
    this.username = pulumi.output(users[0]?.name ?? "");
    this.password = pulumi.secret(users[0]?.passwords[0].password ?? "");
    this.credentials = pulumi.secret(
      Object.fromEntries(
        users.flatMap(({ name, passwords: [{ password }] }) => (password === undefined ? [] : [[name, password]])),
      ),
    );
    this.registerOutputs({
      htpasswd: this.htpasswd,
      username: this.username,
      password: this.password,
      credentials: this.credentials,
    });
  }

  /** A user's passwords: the current one first, and during a grace period the previous one. */
  private createPasswords(name: string, user: User, index: number): [Password, ...Password[]] {
    const generation = user.generation ?? 1;
    if (user.passwordHash !== undefined) {
      const key = `users[${index}].passwordHash`;
      return [{ hash: checkWhenKnown(pulumi.secret(user.passwordHash), (value) => passwordHashProblem(key, value)) }];
    }
    if (user.password === undefined) {
      return [
        this.createPassword(name, user.name, generation),
        ...(user.keepPrevious ? [this.createPassword(name, user.name, generation - 1)] : []),
      ];
    }
    // The same salt for both passwords: tokens are valid as long as the line of their password does not change.
    const salt = new random.RandomBytes(`${name}-${user.name}-salt-${generation}`, { length: 16 }, { parent: this });
    return [
      this.hashPassword(salt, user.password, `users[${index}].password`),
      ...(user.previousPassword === undefined
        ? []
        : [this.hashPassword(salt, user.previousPassword, `users[${index}].previousPassword`)]),
    ];
  }

  /** The generation is part of the name: the previous generation's password stays in state as long as it is asked for. */
  private createPassword(name: string, user: string, generation: number): Password {
    const password = new random.RandomPassword(
      `${name}-${user}-${generation}`,
      // No special characters: the password is typed into shells and put into URLs; 32 of 62 characters are 190 bits.
      { length: 32, special: false },
      { parent: this },
    );
    return { password: password.result, hash: password.bcryptHash };
  }

  private hashPassword(salt: random.RandomBytes, password: pulumi.Input<string>, key: string): Password {
    const checked = checkWhenKnown(pulumi.secret(password), (value) => passwordProblem(key, value));
    return { password: checked, hash: pulumi.all([checked, salt.base64]).apply(([value, bytes]) => bcryptHash(value, bytes)) };
  }
}

function permissions(users: readonly User[]): Permission[] {
  return users
    .filter(({ access, repositories }) => access === Access.Pull || repositories !== undefined)
    .map(({ name, access, repositories }) => ({ name, access: access ?? Access.PushPull, repositories: repositories ?? ["*"] }));
}
