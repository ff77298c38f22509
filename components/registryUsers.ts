import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { User } from "./args";
import { passwordProblem, userProblems } from "./lib/checks";
import { bcryptHash, HtpasswdEntry, renderHtpasswd } from "./lib/htpasswd";
import { checkArguments, gated } from "./lib/inputs";

/** Who may log in. */
export interface RegistryUsersArgs {
  /** The users; an empty list turns authentication off. */
  users: User[];
}

/** Passwords, generated or given, and the htpasswd file made from them. */
export class RegistryUsers extends pulumi.ComponentResource {
  /** The htpasswd file. Secret. */
  public readonly htpasswd: pulumi.Output<string>;
  /** Name of the first user; empty without users. */
  public readonly username: pulumi.Output<string>;
  /** Password of the first user; empty without users. Secret. */
  public readonly password: pulumi.Output<string>;
  /** Password of every user by name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: RegistryUsersArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the passwords among them.
    super("container-registry:index:RegistryUsers", name, {}, opts);
    checkArguments(args, () => userProblems(args.users));

    const users = args.users.map((user, index) => ({
      name: user.name,
      ...(user.password === undefined ? this.generated(name, user) : this.given(name, user, user.password, index)),
    }));
    const entries: pulumi.Output<HtpasswdEntry[]> = pulumi.all(users.map(({ name: user, hash }) => ({ name: user, hash })));
    this.htpasswd = pulumi.secret(entries.apply(renderHtpasswd));
    this.username = pulumi.output(users[0]?.name ?? "");
    this.password = pulumi.secret(users[0]?.password ?? "");
    this.credentials = pulumi.secret(Object.fromEntries(users.map((user) => [user.name, user.password])));
    this.registerOutputs({
      htpasswd: this.htpasswd,
      username: this.username,
      password: this.password,
      credentials: this.credentials,
    });
  }

  private generated(name: string, user: User): { password: pulumi.Output<string>; hash: pulumi.Output<string> } {
    const password = new random.RandomPassword(
      `${name}-${user.name}`,
      // No special characters: the password is typed into shells and put into URLs; 32 of 62 characters are 190 bits.
      { length: 32, special: false, keepers: { generation: `${user.generation ?? 1}` } },
      { parent: this },
    );
    return { password: password.result, hash: password.bcryptHash };
  }

  private given(
    name: string,
    user: User,
    password: pulumi.Input<string>,
    index: number,
  ): { password: pulumi.Output<string>; hash: pulumi.Output<string> } {
    const checked = gated(pulumi.secret(password), (value) => passwordProblem(`users[${index}].password`, value));
    const salt = new random.RandomBytes(
      `${name}-${user.name}-salt`,
      { length: 16, keepers: { generation: `${user.generation ?? 1}` } },
      { parent: this },
    );
    return { password: checked, hash: pulumi.all([checked, salt.base64]).apply(([value, bytes]) => bcryptHash(value, bytes)) };
  }
}
