import { createAccessChanges } from "./access/changes.ts";
import { createAlerts } from "./alerts/alerts.ts";
import { createAnnounce } from "./alerts/announce.ts";
import { createAudit } from "./audit/audit.ts";
import { createAuth } from "./auth/auth.ts";
import { createGatekeeper } from "./auth/gatekeeper.ts";
import { createTokens } from "./auth/tokens.ts";
import { createBudgets } from "./budgets/budgets.ts";
import { createCaches } from "./cache/caches.ts";
import { createChecks } from "./checks/checks.ts";
import { sharedDependencies } from "./checks/shared-dependencies.ts";
import { createContext } from "./context/context.ts";
import { createRunView } from "./context/run-view.ts";
import { createSummaries } from "./context/summaries.ts";
import { createAnnouncements } from "./conversations/announcements.ts";
import { createConversations } from "./conversations/conversations.ts";
import { createMembers } from "./conversations/members.ts";
import { createPublicRooms } from "./conversations/public-rooms.ts";
import { createSharing } from "./conversations/sharing.ts";
import { meteredDatabase } from "./database/metered.ts";
import { createGenerate } from "./generation/generate.ts";
import { createHealth } from "./generation/health.ts";
import { createThrottle } from "./generation/throttle.ts";
import { createKeys } from "./keys/keys.ts";
import { createLimits } from "./limits.ts";
import { createLive } from "./live/live.ts";
import { createStreams } from "./live/streams.ts";
import type { Memory } from "./memory.ts";
import { createMessages } from "./messages/messages.ts";
import { createCalls } from "./metrics/calls.ts";
import { keepEstimates } from "./metrics/estimates.ts";
import { addGauges } from "./metrics/gauges.ts";
import { createInstruments } from "./metrics/instruments.ts";
import { createKeeper } from "./metrics/keeper.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createSampler } from "./metrics/sampler.ts";
import { createModels } from "./models/models.ts";
import { createProviders } from "./models/providers.ts";
import { createVendorLists } from "./models/vendor-lists.ts";
import type { Ports } from "./ports.ts";
import { createPresences } from "./presence/presences.ts";
import { createReading } from "./presence/reading.ts";
import { createTyping } from "./presence/typing.ts";
import { createFollow } from "./runs/follow.ts";
import { createRunReport } from "./runs/run-report.ts";
import { createRuns } from "./runs/runs.ts";
import { createSessions } from "./sessions/sessions.ts";
import type { Settings } from "./settings.ts";
import { createTasks } from "./tasks/tasks.ts";
import { createTitles } from "./tasks/titles.ts";
import { createCallSpans } from "./tracing/call-span.ts";
import { addSpanTotals } from "./tracing/span-totals.ts";
import { createTransfer } from "./transfer/transfer.ts";
import { createTurns } from "./turns/turns.ts";
import { createAdministration } from "./users/administration.ts";
import { createUserRecords } from "./users/user-records.ts";
import { createUsers } from "./users/users.ts";

export type Services = ReturnType<typeof createServices>;

/** The only wiring of the domain. */
export function createServices(given: Ports, settings: Settings, { meters, read, coolDowns, judged }: Memory) {
  const ports = {
    ...given,
    database: meteredDatabase(given.database, { scopes: given.scopes, meters }),
    dependencies: sharedDependencies(given),
  };

  const access = createAccessChanges(ports);
  const audit = createAudit(ports);
  const budgets = createBudgets(ports, settings);
  const caches = createCaches(ports, { access, meters });
  const health = createHealth(ports, { coolDowns });
  const models = createModels(ports, settings, { lists: createVendorLists({ caches }) });
  const streams = createStreams(ports);
  const throttle = createThrottle(ports, settings);
  const tokens = createTokens(ports, settings.jwtSecrets, settings.accessTokenTtlMs);

  const generate = createGenerate(ports, settings, { health, budgets, meters, throttle });
  const keys = createKeys(ports, { access, audit });
  const live = createLive(ports, { streams });
  const records = createUserRecords(ports, { caches });

  const announcements = createAnnouncements(ports, settings, { live });
  const gatekeeper = createGatekeeper(ports, { access, tokens, keys });
  const report = createRunReport(ports, { meters });
  const runs = createRuns(ports, { generate, report });
  const sessions = createSessions(ports, settings, { access, audit, tokens, live });
  const tasks = createTasks(ports, settings, { models, generate });
  const typing = createTyping(ports, { access, live });

  const conversations = createConversations(ports, settings, { access, announcements, audit, live, models });
  const summaries = createSummaries(ports, { tasks });
  const context = createContext(ports, { runs, summaries });
  const titles = createTitles(ports, { announcements, tasks });
  const providers = createProviders(ports, { models, health });

  const keeper = createKeeper(ports);
  const sampler = createSampler(ports, settings, { meters: read, keeper });
  keepEstimates(ports, settings);
  const announce = createAnnounce(ports, settings, { live, meters });
  const gauges = createInstruments();
  addSpanTotals(ports, gauges);
  sampler.include(() => ({ runs_active: runs.count() }));
  addGauges(ports, settings, { gauges, meters, sampler, providers });

  return {
    access,
    alerts: createAlerts(ports, settings, { sampler, announce, judged, unhealthyProviders: providers.unhealthy }),
    administration: createAdministration(ports, { access, audit }),
    auth: createAuth(ports, settings, { access, audit, sessions, keys, gatekeeper, records, meters }),
    budgets,
    caches,
    calls: createCalls(ports, { meters }),
    callSpans: createCallSpans(ports),
    checks: createChecks(ports, { providers }),
    conversations,
    follow: createFollow(ports, { runs, access }),
    gauges,
    keys,
    limits: createLimits(ports, settings),
    live,
    log: ports.log,
    members: createMembers(ports, { access, announcements, audit, conversations }),
    meters,
    metrics: createMetrics(ports, settings, { meters }),
    messages: createMessages(ports, settings, { announcements, audit, live }),
    models,
    presences: createPresences(ports, { access, live, streams, typing }),
    providers,
    publicRooms: createPublicRooms(ports),
    reading: createReading(ports, { live }),
    runs,
    runView: createRunView(ports),
    sampler,
    scopes: ports.scopes,
    sessions,
    sharing: createSharing(ports, settings, { announcements, audit }),
    streams,
    transfer: createTransfer(ports, { announcements, audit, conversations, live }),
    turns: createTurns(ports, settings, { models, budgets, context, titles, runs, report, live, typing, meters }),
    typing,
    users: createUsers(ports, { access, announcements, audit, budgets, records }),
    /** Ends what is under way, with what it has. */
    interrupt() {
      runs.interrupt();
      tasks.interrupt();
    },
  };
}
