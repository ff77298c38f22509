import type * as Grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import * as errors from "@pulumi/pulumi/proto/status_pb";
import * as plugins from "@pulumi/pulumi/proto/plugin_pb";
import { createRequire } from "module";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Change, Context, InitializationError, Resource } from "./resource";
import { filledIn, InputsOf, problemsOf, Properties, Values } from "./types";
import { plain } from "./wire";

/*
 * The provider protocol, as far as the engine needs it for the resources of a stand-in. By the SDK's own messages and not by its
 * `@pulumi/pulumi/provider`: that one leaves out the provider's configuration and previews of what is created, and takes three
 * times as long to load.
 */

/** The SDK's own: dockerode brings another one into this folder, and to load both takes its time on every start. */
const grpc = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js") as typeof Grpc;

/** A provider: its settings, and the resources it has. */
export interface StandIn<C extends Properties, Configuration> {
  /** As in `pulumi:providers:<name>`. */
  name: string;
  /** Of the official provider whose place this one takes. */
  version: string;
  settings: C;
  configure(settings: InputsOf<C>): Configuration;
  resources: Resource<Configuration>[];
}

type Implementation<Request, Response> = (request: Request) => Response | Promise<Response>;

/** As large as the SDK's: a certificate is small, the arguments of a container need not be. */
const maximumMessage = 400 * 1024 * 1024;

/** How often a stand-in looks whether the engine is still there, in milliseconds. */
const watch = 1000;

/** Serves a provider on a free port until the engine ends the process, or is gone itself. */
export function serve<C extends Properties, Configuration>(standIn: StandIn<C, Configuration>): void {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maximumMessage,
    "grpc.max_send_message_length": maximumMessage,
  });
  server.addService(ResourceProviderService, methods(standIn));
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
      throw error;
    }
    // The engine reads the first line to know where to call.
    process.stdout.write(`${port}\n`);
  });
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) {
      process.exit();
    }
  }, watch).unref();
}

function methods<C extends Properties, Configuration>(standIn: StandIn<C, Configuration>): Grpc.UntypedServiceImplementation {
  const resources = new Map(standIn.resources.map((each) => [each.type, each]));
  const stopped = new AbortController();
  let configuration: Configuration | undefined;

  const label = `the stand-in for the ${standIn.name} provider`;
  const advice = "Use the official provider for it: offline/stand-ins/README.md";

  /** The resource's kind, by the last part of the URN's type: `parent$type`. */
  function found(urn: string): Resource<Configuration> {
    const type = urn.split("::")[2]?.split("$").pop() ?? "";
    const resource = resources.get(type);
    if (resource === undefined) {
      throw new Error(`${label} has no resource ${type} (${urn}). ${advice}`);
    }
    return resource;
  }

  function context(urn: string): Context<Configuration> {
    if (configuration === undefined) {
      throw new Error(`${label} is not configured yet, and ${urn} needs it`);
    }
    return { configuration, urn, signal: stopped.signal };
  }

  // The property stands in the text: given apart, the engine would print its value, which may be a secret.
  function failures(urn: string, problems: string[]): messages.CheckFailure[] {
    return problems.map((problem) => new messages.CheckFailure().setReason(`${problem} (${urn}). ${explained(problem)}`.trim()));
  }
  const explained = (problem: string): string =>
    problem.endsWith("not known here") ? `This is ${label}, which has only what container-registry needs. ${advice}` : "";

  return {
    getPluginInfo: unary(() => new plugins.PluginInfo().setVersion(standIn.version)),
    getSchema: unary(() =>
      new messages.GetSchemaResponse().setSchema(JSON.stringify({ name: standIn.name, version: standIn.version })),
    ),
    attach: unary(() => new Empty()),
    cancel: unary(() => {
      stopped.abort();
      return new Empty();
    }),

    checkConfig: unary((request: messages.CheckRequest) => {
      const given = values(request.getNews());
      return new messages.CheckResponse()
        .setInputs(struct(given))
        .setFailuresList(failures(request.getUrn(), problemsOf(standIn.settings, ownSettings(given))));
    }),
    diffConfig: unary((request: messages.DiffRequest) => {
      const [before, after] = [ownSettings(values(request.getOldInputs())), ownSettings(values(request.getNews()))];
      return new messages.DiffResponse().setChanges(
        JSON.stringify(before) === JSON.stringify(after)
          ? messages.DiffResponse.DiffChanges.DIFF_NONE
          : messages.DiffResponse.DiffChanges.DIFF_SOME,
      );
    }),
    configure: unary((request: messages.ConfigureRequest) => {
      const settings = filledIn(standIn.settings, ownSettings(values(request.getArgs()))) as InputsOf<C>;
      configuration = standIn.configure(settings);
      // Without setAcceptsecrets(true) the engine marks an output as secret where the input of the same name is.
      return new messages.ConfigureResponse().setSupportspreview(true).setAcceptresources(true);
    }),

    invoke: unary((request: messages.InvokeRequest): messages.InvokeResponse => {
      throw new Error(`${label} has no function ${request.getTok()}. ${advice}`);
    }),

    check: unary((request: messages.CheckRequest) => {
      const name = request.getUrn().split("::").pop() ?? "";
      const named = { name, before: values(request.getOlds()), seed: request.getRandomseed_asB64() };
      const { inputs, problems } = found(request.getUrn()).check(values(request.getNews()), named);
      return new messages.CheckResponse().setInputs(struct(inputs)).setFailuresList(failures(request.getUrn(), problems));
    }),
    diff: unary(async (request: messages.DiffRequest) => {
      const { changes, deleteBeforeReplace } = await found(request.getUrn()).diff(
        values(request.getOldInputs()),
        values(request.getOlds()),
        values(request.getNews()),
        context(request.getUrn()),
      );
      return diffResponse(changes).setDeletebeforereplace(deleteBeforeReplace);
    }),
    create: unary(async (request: messages.CreateRequest) => {
      const [resource, inputs] = [found(request.getUrn()), values(request.getProperties())];
      if (request.getPreview()) {
        return new messages.CreateResponse().setProperties(struct(resource.previewCreate(inputs)));
      }
      const { id, outputs } = await resource.create(inputs, context(request.getUrn()));
      return new messages.CreateResponse().setId(id).setProperties(struct(outputs));
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const state = values(request.getProperties());
      if (Object.keys(state).length === 0) {
        throw new Error(`${label} can't read or import what is not in state yet (${request.getUrn()}). ${advice}`);
      }
      const read = await found(request.getUrn()).read(
        request.getId(),
        values(request.getInputs()),
        state,
        context(request.getUrn()),
      );
      return read === undefined
        ? new messages.ReadResponse()
        : new messages.ReadResponse().setId(request.getId()).setInputs(struct(read.inputs)).setProperties(struct(read.outputs));
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const [state, inputs] = [values(request.getOlds()), values(request.getNews())];
      const resource = found(request.getUrn());
      const outputs = request.getPreview()
        ? resource.previewUpdate(state, inputs)
        : await resource.update(request.getId(), state, inputs, context(request.getUrn()));
      return new messages.UpdateResponse().setProperties(struct(outputs));
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      await found(request.getUrn()).delete(request.getId(), values(request.getProperties()), context(request.getUrn()));
      return new Empty();
    }),
  };
}

/** Answers a call with what the function gives, or with its error in one line. */
function unary<Request, Response>(answer: Implementation<Request, Response>): Grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error)),
      );
  };
}

function serviceError(error: unknown): Partial<Grpc.StatusObject> {
  const details = error instanceof Error ? error.message : String(error);
  return {
    code: grpc.status.UNKNOWN,
    details,
    ...(error instanceof InitializationError && { metadata: unfinished(error) }),
  };
}

/** What tells the engine that the resource exists all the same. */
function unfinished({ id, state, message }: InitializationError): Grpc.Metadata {
  const detail = new messages.ErrorResourceInitFailed().setId(id).setProperties(struct(state)).setReasonsList([message]);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new errors.Status().setCode(grpc.status.UNKNOWN).setMessage(message).addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function diffResponse(changes: Record<string, Change>): messages.DiffResponse {
  const entries = Object.entries(changes);
  const properties = (of: typeof entries): string[] => [...new Set(of.map(([name]) => name.replace(/\..*/, "")))];
  const response = new messages.DiffResponse()
    .setHasdetaileddiff(true)
    .setDiffsList(properties(entries))
    .setReplacesList(properties(entries.filter(([, { replaces }]) => replaces)))
    .setChanges(messages.DiffResponse.DiffChanges[entries.length === 0 ? "DIFF_NONE" : "DIFF_SOME"]);
  const kinds = messages.PropertyDiff.Kind;
  for (const [name, { kind, replaces, input }] of entries) {
    const change = {
      add: replaces ? kinds.ADD_REPLACE : kinds.ADD,
      update: replaces ? kinds.UPDATE_REPLACE : kinds.UPDATE,
      delete: replaces ? kinds.DELETE_REPLACE : kinds.DELETE,
    }[kind];
    response.getDetaileddiffMap().set(name, new messages.PropertyDiff().setKind(change).setInputdiff(input));
  }
  return response;
}

/** The provider's own settings, without what the engine keeps among them, and without marks: no setting gets into a state from here. */
function ownSettings(given: Values): Values {
  const own = Object.entries(given).filter(([name]) => name !== "version" && name !== "pluginDownloadURL");
  return plain(Object.fromEntries(own)) as Values;
}

function values(properties: Struct | undefined): Values {
  return properties?.toJavaScript() ?? {};
}

function struct(properties: Values): Struct {
  return Struct.fromJavaScript(withoutNothing(properties) as Record<string, JavaScriptValue>);
}

/** JSON has no undefined, and the engine takes null for a value. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutNothing);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, each]) => each !== undefined && each !== null)
          .map(([key, each]) => [key, withoutNothing(each)]),
      )
    : value;
}
