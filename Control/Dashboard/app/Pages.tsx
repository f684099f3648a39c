import { lazy, Suspense, type ReactNode } from "react";
import type { Action } from "../api/Access";
import { useMay } from "../api/Server";
import { Empty, Page, Skeleton } from "../design/Page";
import { AccountPage } from "../pages/AccountPage";
import { AnalyticsPage } from "../pages/AnalyticsPage";
import { AuditPage } from "../pages/AuditPage";
import { BroadcastPage } from "../pages/BroadcastPage";
import { BroadcastsPage } from "../pages/BroadcastsPage";
import { DiagnosticsPage } from "../pages/DiagnosticsPage";
import { DestinationsPage } from "../pages/DestinationsPage";
import { ConfirmEmailPage } from "../pages/ConfirmEmailPage";
import { EnrollmentPage } from "../pages/EnrollmentPage";
import { ForgottenPage, ResetPage } from "../pages/PasswordPages";
import { HelpPage } from "../pages/HelpPage";
import { HomePage } from "../pages/HomePage";
import { InvitationPage } from "../pages/InvitationPage";
import { JoinPage } from "../pages/JoinPage";
import { MeetingPage } from "../pages/MeetingPage";
import { MeetingsPage } from "../pages/MeetingsPage";
import { MembersPage } from "../pages/MembersPage";
import { OrganizationPage } from "../pages/OrganizationPage";
import { PoolPage } from "../pages/PoolPage";
import { PresetsPage } from "../pages/PresetsPage";
import { RecordingPage } from "../pages/RecordingPage";
import { RecordingsPage } from "../pages/RecordingsPage";
import { RegisterPage } from "../pages/RegisterPage";
import { SenderPage } from "../pages/SenderPage";
import { SendersPage } from "../pages/SendersPage";
import { StartPage } from "../pages/StartPage";
import { StoragePage } from "../pages/StoragePage";
import { TokensPage } from "../pages/TokensPage";
import { UpdatesPage } from "../pages/UpdatesPage";
import { WebhooksPage } from "../pages/WebhooksPage";
import { useWords } from "../text/Text";
import { Mishap } from "./Mishap";
import { Link, match } from "./Router";

// A part of its own: few need it, and who does has just come.
const NetworkTestPage = lazy(() => import("../pages/NetworkTestPage"));

type Place = {
  pattern: string;
  needs: Action;
  page: (values: Record<string, string>) => ReactNode;
  /** Of addresses of one page, which stays as it is between them. */
  group?: string;
};

const places: readonly Place[] = [
  { pattern: "/", needs: "senders.view", page: () => <HomePage /> },
  // Whoever has just come in is on their way to the page before.
  { pattern: "/login", needs: "senders.view", page: () => <HomePage /> },
  { pattern: "/senders", group: "senders", needs: "senders.view", page: () => <SendersPage view="list" /> },
  { pattern: "/senders/map", group: "senders", needs: "senders.view", page: () => <SendersPage view="map" /> },
  { pattern: "/senders/:id", needs: "senders.view", page: ({ id }) => <SenderPage id={id!} /> },
  { pattern: "/senders/:id/start", needs: "broadcasts.run", page: ({ id }) => <StartPage id={id!} /> },
  { pattern: "/broadcasts", needs: "broadcasts.view", page: () => <BroadcastsPage /> },
  { pattern: "/broadcasts/:id", needs: "broadcasts.view", page: ({ id }) => <BroadcastPage id={id!} /> },
  { pattern: "/recordings", needs: "recordings.view", page: () => <RecordingsPage /> },
  { pattern: "/recordings/:id", needs: "recordings.view", page: ({ id }) => <RecordingPage id={id!} /> },
  { pattern: "/destinations", needs: "destinations.view", page: () => <DestinationsPage /> },
  { pattern: "/meetings", needs: "meetings.view", page: () => <MeetingsPage /> },
  { pattern: "/meetings/:id", needs: "meetings.view", page: ({ id }) => <MeetingPage id={id!} /> },
  { pattern: "/admin/enrollment", needs: "senders.manage", page: () => <EnrollmentPage /> },
  { pattern: "/admin/members", group: "members", needs: "users.view", page: () => <MembersPage /> },
  { pattern: "/admin/invite", group: "members", needs: "users.manage", page: () => <MembersPage invite /> },
  { pattern: "/tokens", needs: "account.manage", page: () => <TokensPage /> },
  { pattern: "/admin/organization", group: "organization", needs: "organization.change", page: () => <OrganizationPage tab="general" /> },
  { pattern: "/admin/organization/:tab", group: "organization", needs: "organization.change", page: ({ tab }) => <OrganizationPage tab={tab!} /> },
  { pattern: "/admin/settings", group: "organization", needs: "organization.change", page: () => <OrganizationPage tab="general" /> },
  { pattern: "/admin/branding", group: "organization", needs: "organization.change", page: () => <OrganizationPage tab="branding" /> },
  { pattern: "/admin/presets", needs: "organization.change", page: () => <PresetsPage /> },
  { pattern: "/admin/storage", needs: "organization.change", page: () => <StoragePage /> },
  { pattern: "/admin/analytics", needs: "analytics.view", page: () => <AnalyticsPage /> },
  { pattern: "/admin/updates", needs: "diagnostics.view", page: () => <UpdatesPage /> },
  { pattern: "/admin/pool", needs: "diagnostics.view", page: () => <PoolPage /> },
  { pattern: "/admin/webhooks", needs: "webhooks.manage", page: () => <WebhooksPage /> },
  { pattern: "/admin/diagnostics", needs: "diagnostics.view", page: () => <DiagnosticsPage /> },
  { pattern: "/admin/audit", needs: "audit.view", page: () => <AuditPage /> },
  { pattern: "/account", needs: "account.manage", page: () => <AccountPage /> },
  { pattern: "/help", needs: "account.manage", page: () => <HelpPage /> },
];

/** What is there for whoever is not in, or is somebody else by now. */
export function open(path: string): ReactNode {
  const meeting = match("/join/:slug", path) ?? match("/m/:slug", path) ?? match("/:organization/m/:slug", path);
  if (meeting) return <JoinPage key={path} slug={meeting.slug} organization={meeting.organization} />;
  switch (path) {
    case "/forgot-password": return <ForgottenPage />;
    case "/reset-password": return <ResetPage />;
    case "/register": return <RegisterPage />;
    case "/confirm-email": return <ConfirmEmailPage />;
    case "/invitation": return <InvitationPage />;
    case "/join": return <JoinPage />;
    case "/network-test": return <Suspense fallback={<main className="entry"><Skeleton /></main>}><NetworkTestPage /></Suspense>;
    default: return null;
  }
}

/** The page of a path. */
export function shown(path: string): ReactNode {
  for (const place of places) {
    const values = match(place.pattern, path);
    if (values) return <Mishap key={place.group ?? path}><Guarded needs={place.needs}>{place.page(values)}</Guarded></Mishap>;
  }
  return <Nowhere />;
}

/** The server refuses it anyway: here it is said before anything is asked. */
function Guarded({ needs, children }: { needs: Action; children: ReactNode }) {
  const { t } = useWords();
  const may = useMay();
  return may(needs) ? <>{children}</> : <Page title={t("guard.title")}><Empty title={t("guard.title")}>{t("fault.forbidden")}</Empty></Page>;
}

export function Nowhere() {
  const { t } = useWords();
  return (
    <Page title={t("nowhere.title")}>
      <Empty title={t("nowhere.title")} action={<Link className="button primary" to="/">{t("nowhere.back")}</Link>}>{t("nowhere.text")}</Empty>
    </Page>
  );
}
