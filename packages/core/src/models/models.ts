import type { Model, ModelList, Plan, TokenEstimate } from "@parley/contract";
import { AppError } from "../errors.ts";
import type { Target } from "../generation/health.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { costOf, noTokens } from "../tokens/costs.ts";
import { estimateTokens } from "../tokens/estimate.ts";
import { applyOverrides, joinWithVendor } from "./entries.ts";
import type { Provider, VendorModel } from "./provider.ts";
import type { VendorLists } from "./vendor-lists.ts";

/** How often a look is taken for lists that have become old, on this node or another. */
const refreshMs = 5 * 60_000;

/** A model that can be asked, by the id that people use. */
export interface OfferedModel extends Target {
  model: Model;
}

export type Models = ReturnType<typeof createModels>;

/** The models that the configured providers offer: what each is known to have, joined with what its vendor says it has. */
export function createModels(
  { providers: given, background, log }: Pick<Ports, "providers" | "background" | "log">,
  settings: Pick<Settings, "defaultModel" | "fallbackModels" | "taskModel" | "modelOverrides">,
  { lists }: { lists: VendorLists },
) {
  const providers = [...given];
  const reported = new Map<string, VendorModel[]>();
  let offered = new Map<string, OfferedModel>();
  /** What a statement needs to choose a model, ready for the database: it is sent with most messages. */
  let choices: Record<Plan, { fallback: string | null; providers: string }>;
  let list: ModelList = { items: [] };
  rebuild();

  function rebuild() {
    const ready = providers.filter(({ keys }) => keys > 0);
    const own = ready.flatMap((provider) =>
      applyOverrides(joinWithVendor(provider.models, reported.get(provider.name)), provider.name, settings.modelOverrides).map(
        (entry) => ({ provider, entry }),
      ),
    );
    const isReal = own.some(({ provider }) => !provider.isStandIn);
    const next = new Map<string, OfferedModel>();
    for (const { provider, entry } of own) {
      if (isReal && provider.isStandIn) continue;
      const id = next.has(entry.id) ? `${provider.name}/${entry.id}` : entry.id;
      next.set(id, { provider, vendorModelId: entry.id, model: { ...entry, id, provider: provider.name, isDefault: false } });
    }
    const defaultId = settings.defaultModel ?? Array.from(next.values()).find(({ model }) => !model.retired)?.model.id;
    const main = next.get(defaultId ?? "");
    if (main) next.set(main.model.id, { ...main, model: { ...main.model, isDefault: true } });
    offered = next;
    list = { items: Array.from(next.values(), ({ model }) => model).filter(({ retired, isDefault }) => !retired || isDefault) };
    choices = { free: choicesFor("free"), pro: choicesFor("pro"), enterprise: choicesFor("enterprise") };
  }

  function choicesFor(plan: Plan) {
    const open = Array.from(offered.values()).filter(({ model }) => isOpenTo(model, plan));
    const usual = open.find(({ model }) => model.isDefault) ?? open.find(({ model }) => !model.retired);
    const byModel = Object.fromEntries(open.map(({ model }) => [model.id, model.provider]));
    return { fallback: usual?.model.id ?? null, providers: JSON.stringify(byModel) };
  }

  /** A vendor that does not answer leaves what was known. */
  async function refresh(provider: Provider, ask: VendorLists["ask"] = lists.ask): Promise<boolean> {
    if (provider.keys === 0) return true;
    try {
      const listed = await ask(provider);
      if (listed === reported.get(provider.name)) return true;
      reported.set(provider.name, listed);
      rebuild();
      return true;
    } catch (error) {
      log.warn({ provider: provider.name, err: error }, "a provider does not say which models it has");
      return false;
    }
  }

  let refreshing: Promise<boolean[]> | undefined;
  /** Says of each vendor whether it has told. One at a time: whoever asks meanwhile waits for the same answer. */
  function refreshAll(): Promise<boolean[]> {
    refreshing ??= Promise.all(providers.map((provider) => refresh(provider))).finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function refreshed(): Promise<void> {
    await refreshAll();
  }

  background.every("refresh the models", refreshMs, refreshed, { atOnce: true });

  function unknown(id: string) {
    return new AppError("model_unknown", `There is no model "${id}"`);
  }

  function fallbackOf(plan: Plan): string {
    const { fallback } = choices[plan];
    if (fallback === null) throw new AppError("provider_unconfigured", "No model is configured");
    return fallback;
  }

  /** A model by its name, for somebody with this plan. */
  function choose(id: string, plan: Plan): OfferedModel {
    const found = offered.get(id);
    if (!found) throw unknown(id);
    if (!isOpenTo(found.model, plan)) throw new AppError("forbidden", `Your plan does not include "${id}"`);
    return found;
  }

  return {
    providers: providers as readonly Provider[],
    list: () => list,
    get(id: string): Model {
      const found = offered.get(id);
      if (!found) throw unknown(id);
      return found.model;
    },
    choose,
    /** Whatever the plan: for what the operator has named. */
    find: (id: string) => offered.get(id),
    /** A text as a question to a model, or to the one that answers when nobody is named. */
    estimate(id: string | undefined, text: string, plan: Plan): TokenEstimate {
      const { model } = choose(id ?? fallbackOf(plan), plan);
      const tokens = estimateTokens(text);
      return { model: model.id, tokens, costMicros: costOf({ ...noTokens, input: tokens }, model.prices) };
    },
    /** Who is asked when a model fails. Of those that the operator names, whoever is there and within the plan. */
    fallbacks(plan: Plan, requested: string[] | undefined): OfferedModel[] {
      if (requested) return requested.map((id) => choose(id, plan));
      return settings.fallbackModels.flatMap((id) => {
        const found = offered.get(id);
        return found && isOpenTo(found.model, plan) ? [found] : [];
      });
    },
    /** What a message needs that names a model, or leaves it to its conversation and to us; and what was on offer then. */
    choices(plan: Plan, requested: string | undefined, isFirst: boolean) {
      const asked = requested === undefined ? null : choose(requested, plan).model;
      const fallback = fallbackOf(plan);
      // Where the conversation has no say in it, the database need not read the whole list.
      const only = asked ?? (isFirst ? choose(fallback, plan).model : null);
      const providers = only ? JSON.stringify({ [only.id]: only.provider }) : choices[plan].providers;
      const choice = { requested: requested ?? null, fallback, providers };
      return { choice, offered: offered as ReadonlyMap<string, OfferedModel> };
    },
    /** Resolves once each vendor has said what it has, or that it does not say. */
    refreshed,
    /** Found after the start: a model server on this machine. */
    async add(provider: Provider) {
      providers.push(provider);
      await refresh(provider);
      rebuild();
    },
    /** Models that the operator has named and nobody has. One that has to be there and that nobody can have is no way to start. */
    async checkNames({ moreMayCome }: { moreMayCome: boolean }): Promise<void> {
      const { defaultModel, fallbackModels, taskModel } = settings;
      const named = [
        ...(defaultModel === null ? [] : [{ id: defaultModel, says: "DEFAULT_MODEL is", isNeeded: true }]),
        ...(taskModel === "same" || taskModel === "off" ? [] : [{ id: taskModel, says: "TASK_MODEL is", isNeeded: true }]),
        ...fallbackModels.map((id) => ({ id, says: "FALLBACK_MODELS has", isNeeded: false })),
      ];
      const missing = () => named.filter(({ id }) => !offered.has(id));
      if (missing().length === 0) return;
      await refreshAll();
      if (missing().length === 0) return;
      // What was remembered may be older than the model that is asked for.
      const answers = await Promise.all(providers.map((provider) => refresh(provider, lists.askAnew)));
      const haveAllAnswered = answers.every(Boolean);
      const there = `the models are ${Array.from(offered.keys()).join(", ")}`;
      for (const { id, says, isNeeded } of missing()) {
        const known = `${says} "${id}", but ${there}`;
        if (isNeeded && haveAllAnswered && !moreMayCome) throw new Error(known);
        log.warn({}, known);
      }
    },
  };
}

function isOpenTo({ plans }: Model, plan: Plan): boolean {
  return plans === null || plans.includes(plan);
}
