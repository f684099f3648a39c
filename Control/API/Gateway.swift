package import Alerts
package import Auth
package import Blobs
package import Broadcasts
import FoundationEssentials
package import Fleet
import HTTP
package import Logging
package import Mail
import Crypto
package import Identity
import Posix
package import Recordings
package import Reporting
package import Rooms
package import SelfUpdate
package import Store
package import Tracing
package import Units
package import Web
package import Webhooks
import Wire

/// Control's HTTP interface: finds the route of a request, checks who calls and what is sent, and turns errors into problems.
package struct Gateway: Sendable {
    let parts: Parts
    private let router: Router

    /// What the routes work with.
    package struct Parts: Sendable {
        let store: ControlStore
        let gate: Gate
        let hasher: PasswordHasher
        let fleet: Roster
        let feed: Feed
        let broadcasts: BroadcastDirector
        let rooms: RoomDesk
        /// Into rooms, of programs.
        let passes: RoomPasses
        /// Who is in rooms with a page, and their sockets.
        let sessions: RoomSessions
        let roomDoor: RoomDoor
        let networkTestDoor: NetworkTestDoor
        let alerts: AlertDesk
        let devices: DeviceDoor
        let health: Health
        /// nil where no mail is sent.
        let postman: Postman?
        let courier: Courier
        let blobs: BlobStore
        let recordings: RecordingDesk
        /// Of addresses of blobs.
        let signer: BlobSigner
        let reporter: Reporter
        /// To whoever is to be told how the server is.
        let home: HomeLine
        /// Of this server's own version.
        let updates: UpdateDesk
        /// nil where nothing is followed.
        let traces: Traces?
        let settings: Settings
        let log: Log
        /// The pages that watch, of each user.
        let sockets = UserSockets()
        let pictures = WholePictures()
        /// Redeemed tokens for each address they come from.
        let enrollments = RateLimiter(RateLimit(30, per: .seconds(60)))
        /// Of each organisation: a check asks the mail server, which is another's.
        let healthChecks = RateLimiter(RateLimit(6, per: .seconds(60)))
        /// Of each organisation: a platform counts who knocks.
        let destinationTests = RateLimiter(RateLimit(20, per: .seconds(60)))
        /// What became a label in `/metrics`.
        let labels = Guarded(LabelBook())
        let requests = RequestFigures()
        /// Files of previews, of each player: some four times as many as there are.
        let playerFiles = RateLimiter(RateLimit(120, per: .seconds(60)))
        /// Errors of pages, of each address that they come from, and of all.
        let pageErrors = RateLimiter(RateLimit(20, per: .seconds(60)))
        let allPageErrors = RateLimiter(RateLimit(200, per: .seconds(60)))
        /// Meetings that are made, of each organisation (SEC-11).
        let meetingCreations = RateLimiter(RateLimit(10, per: .seconds(60)))
        /// Addresses of meetings that somebody without an account asks for, from each place.
        let meetingLookups = RateLimiter(RateLimit(30, per: .seconds(60)))
        /// Guests who knock at meetings, from each place; and at one meeting, from each place (SEC-12).
        let guestKnocks = RateLimiter(RateLimit(30, per: .seconds(60)))
        let guestsOfPlace: RateLimiter
        /// Whoever comes into meetings: of each of them, and of each organisation (SEC-11, decisions 25).
        let meetingJoins = RateLimiter(RateLimit(30, per: .seconds(60)))
        /// Guests among them, of each meeting (SEC-11).
        let guestJoins = RateLimiter(RateLimit(20, per: .seconds(60)))
        let organizationJoins = RateLimiter(RateLimit(60, per: .seconds(60)))
        /// What a guest who waits asks, who is to ask each 5 s.
        let waitingQuestions = RateLimiter(RateLimit(30, per: .seconds(60)))
        /// Guests who wait before meetings.
        let waiting = Guarded(WaitingList())
        /// Pages that try the network, from each place: as often as somebody changes something and tries again.
        let networkTests = RateLimiter(RateLimit(12, per: .seconds(60)))
        /// Lines of the log about sessions.
        let sessionLines = RateLimiter(RateLimit(20, per: .seconds(60)))

        var authority: EnrollmentToken.Authority { settings.authority }
        var origins: [String] { settings.origins }
        var links: AccountLinks { settings.links }

        package init(
            store: ControlStore, gate: Gate, hasher: PasswordHasher, fleet: Roster, feed: Feed, broadcasts: BroadcastDirector,
            rooms: RoomDesk, passes: RoomPasses, alerts: AlertDesk, devices: DeviceDoor, health: Health, postman: Postman?,
            courier: Courier, blobs: BlobStore, recordings: RecordingDesk, signer: BlobSigner, reporter: Reporter, home: HomeLine,
            updates: UpdateDesk,
            traces: Traces?, settings: Settings, log: Log
        ) {
            self.store = store
            self.gate = gate
            self.hasher = hasher
            self.fleet = fleet
            self.feed = feed
            self.broadcasts = broadcasts
            self.rooms = rooms
            self.passes = passes
            var limits = RoomState.Limits()
            limits.participants = store.quotas[.participants]
            sessions = RoomSessions(desk: rooms, limits: limits, log: log)
            let keeping = RoomKeeping(
                store: store, broadcasts: broadcasts, farewell: Self.farewell(postman, settings.links), log: log.part("rooms"))
            sessions.attend(keeping.office(of: sessions))
            roomDoor = RoomDoor(sessions: sessions, passes: passes, log: log)
            networkTestDoor = NetworkTestDoor(desk: rooms, log: log)
            self.alerts = alerts
            self.devices = devices
            self.health = health
            self.postman = postman
            self.courier = courier
            self.blobs = blobs
            self.recordings = recordings
            self.signer = signer
            self.reporter = reporter
            self.home = home
            self.updates = updates
            self.traces = traces
            guestsOfPlace = RateLimiter(settings.guests)
            self.settings = settings
            self.log = log.part("api")
        }
    }

    /// What is followed through the server, and where it is told.
    package struct Traces: Sendable {
        package let tracer: Tracer
        package let exporter: SpanExporter

        package init(tracer: Tracer, exporter: SpanExporter) {
            self.tracer = tracer
            self.exporter = exporter
        }
    }

    /// What the operator decided.
    package struct Settings: Sendable {
        /// Opens the operator's routes.
        let operatorToken: Secret
        /// Whom devices believe: goes into every enrollment token.
        let authority: EnrollmentToken.Authority
        /// `https://live.example.org`: where a browser's pages may come from, beside the server's own address.
        let origins: [String]
        /// Where mails and links lead.
        let links: AccountLinks
        let stateFolder: StateFolder
        /// The folder of the web application.
        let dashboard: String
        let retention: Retention
        /// Guests who come to one meeting from one address.
        let guests: RateLimit
        /// Of whoever made the program; nil where it is told nothing.
        let vendor: DSN?
        /// Where pages play recordings from, beside this server; nil where they lie on its disk.
        let bucketOrigin: String?
        let version: String

        package init(
            operatorToken: Secret, authority: EnrollmentToken.Authority, origins: [String], links: AccountLinks, stateFolder: StateFolder,
            dashboard: String, retention: Retention, guests: RateLimit, vendor: DSN?, bucketOrigin: String?, version: String
        ) {
            self.operatorToken = operatorToken
            self.authority = authority
            self.origins = origins
            self.links = links
            self.stateFolder = stateFolder
            self.dashboard = dashboard
            self.retention = retention
            self.guests = guests
            self.vendor = vendor
            self.bucketOrigin = bucketOrigin
            self.version = version
        }
    }

    package init(_ parts: Parts) {
        self.parts = parts
        let groups: [[Route]] = [
            SystemRoutes(parts).routes, ConfigRoutes(parts).routes, DiagnosticsRoutes(parts).routes, ErrorTrackingRoutes(parts).routes,
            PhoneHomeRoutes(parts).routes, AnalyticsRoutes(parts).routes, PageErrorRoutes(parts).routes,
            AuthRoutes(parts).routes, PasswordResetRoutes(parts).routes,
            ProfileRoutes(parts).routes, AlertRoutes(parts).routes, UserRoutes(parts).routes, InvitationRoutes(parts).routes,
            TokenRoutes(parts).routes,
            SettingsRoutes(parts).routes, WordingRoutes(parts).routes, BrandingRoutes(parts).routes, BlobRoutes(parts).routes,
            SlateRoutes(parts).routes, SenderRoutes(parts).routes, DestinationRoutes(parts).routes, BroadcastRoutes(parts).routes,
            RehearsalRoutes(parts).routes, PreviewRoutes(parts).routes, PlayerRoutes(parts).routes, InputPictureRoutes(parts).routes,
            RecordingRoutes(parts).routes,
            RoomRoutes(parts).routes, MediaRoutes(parts).routes, MeetingRoutes(parts).routes, GuestRoutes(parts).routes,
            NetworkTestRoutes(parts).routes,
            WebhookRoutes(parts).routes, PoolRoutes(parts).routes, ReleaseRoutes(parts).routes, RolloutRoutes(parts).routes,
            ServerUpdateRoutes(parts).routes, OperatorRoutes(parts).routes,
        ]
        let operations = groups.flatMap { $0 }
        let document = OpenAPI.document(of: operations + [OpenAPI.route(serving: [])], version: parts.settings.version)
        router = Router(operations + [OpenAPI.route(serving: Array(document.utf8))])
    }

    static let bodyLimit = 128 * 1024

    /// Answers one request; on the loop of its connection.
    package func answer(_ request: Request) async -> Response {
        let began = Instant.now
        let match = router.match(request.head.method, request.head.path)
        let route: Route? = if case .found(let found, _) = match { found } else { nil }
        let errand = Errand(route: route?.name)
        let span = parts.traces?.tracer.root(route?.name ?? "none", .server, from: Self.parent(of: request))
        let answer = await Tracer.$current.withValue(span) { () async -> Response in
            await Errand.$current.withValue(errand) { () async -> Response in
                do { return try await respond(to: request, match) } catch { return response(to: error, request) }
            }
        }
        errand.end()
        let time = Instant.now - began
        parts.requests.answered(route, answer.status.code, after: time)
        note(request, route, answer.status.code, after: time, span)
        return secured(answer)
    }

    /// What a proxy in front of us that is believed has begun; what anybody else says of it is not looked at.
    private static func parent(of request: Request) -> TraceContext? {
        request.isProxied ? request.headers["traceparent"].flatMap { TraceContext(traceparent: $0) } : nil
    }

    /// Each request is a line of the log, and where it is followed a span.
    private func note(_ request: Request, _ route: Route?, _ status: Int, after time: Duration, _ span: Span?) {
        parts.log.info(
            "answered",
            [
                "method": "\(request.method)", "route": "\(route?.path ?? "none")", "status": .integer(status),
                "ms": .integer(time.milliseconds),
                "trace": "\(span?.context.traceID ?? "")",
            ])
        guard let span else { return }
        span.set("http.request.method", .text(request.method.text))
        if let route { span.set("http.route", .text(route.path)) }
        span.set("http.response.status_code", .integer(status))
        if status >= 500 { span.fail() }
        span.end()
    }

    private func respond(to request: Request, _ match: Router.Match) async throws -> Response {
        let head = request.head
        switch match {
        case .found(let route, let parameters): return try await run(route, request, parameters)
        case .otherMethods(let methods):
            var response = Self.response(to: Problem(.methodNotAllowed))
            response.headers.add("allow", methods.map(\.text).joined(separator: ", "))
            return response
        case .none:
            try parts.gate.admit(address: request.remote.host)
            guard !DashboardFiles.serves(head.path) else { return try DashboardFiles(folder: parts.settings.dashboard).answer(head) }
            throw Problem(.notFound, "there is no \(head.path.bounded(to: 200))")
        }
    }

    private func run(_ route: Route, _ request: Request, _ parameters: [String: String]) async throws -> Response {
        let principal = try await principal(for: route, request)
        for (name, value) in parameters where !OpenAPI.parameterSchema(name).faults(of: JSONValue(parameter: value)).isEmpty {
            throw Problem(.notFound, "'\(value.bounded(to: 64))' is no \(name)")
        }
        let faults = route.query.flatMap { Self.faults(of: $0, in: request.head) }
        guard faults.isEmpty else { throw Problem(.invalid, "the query is not as it should be", faults: faults) }
        var bytes: [UInt8] = []
        if let name = route.body { bytes = try await Self.body(of: request, as: name) }
        if let types = route.file { bytes = try await Self.file(of: request, types) }
        do {
            return try await route.run(Call(request: request, parameters: parameters, principal: principal, bytes: bytes))
        } catch {
            return response(to: error, request, of: route)
        }
    }

    // MARK: Who calls

    private func principal(for route: Route, _ request: Request) async throws -> Principal? {
        let urgent = route.isUrgent ? route.path : nil
        switch route.access {
        case .open:
            try parts.gate.admit(address: request.remote.host, urgently: urgent)
            return nil
        case .operator:
            guard let bearer = Self.bearer(request) else { throw try unsigned(request, "this takes the operator's token") }
            guard isOperator(bearer) else {
                throw try unsigned(request, "the operator's token is refused: this server's own lies in its state folder, operator-token")
            }
            return nil
        case .user(let action):
            guard let bearer = Self.bearer(request) else { throw try unsigned(request, urgently: urgent) }
            let principal: Principal
            do {
                principal = try await parts.gate.authenticate(bearer: bearer)
            } catch let refusal as AuthError where [.notAuthenticated, .tokenRefused].contains(refusal) {
                throw try unsigned(request, refusal.description, urgently: urgent)
            }
            Errand.current?.organization = principal.user.organization.text
            Tracer.current?.set("strata.organization", .text(principal.user.organization.text))
            try parts.gate.admit(principal, urgently: urgent)
            try await parts.gate.noteUse(of: principal, from: Call.origin(of: request))
            try principal.demand(action)
            return principal
        }
    }

    /// Counted by its address.
    private func unsigned(
        _ request: Request, _ reason: String = AuthError.notAuthenticated.description, urgently urgent: String? = nil
    ) throws -> Problem {
        try parts.gate.admit(address: request.remote.host, urgently: urgent)
        return Problem(.unauthorized, reason)
    }

    private func isOperator(_ bearer: Secret) -> Bool {
        constantTimeEqual(Array(bearer.revealed.utf8), Array(parts.settings.operatorToken.revealed.utf8))
    }

    static func bearer(_ request: Request) -> Secret? {
        guard let field = request.head.headers["authorization"] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? Secret(String(parts[1])) : nil
    }

    // MARK: What is sent

    private static func faults(of field: Schema.Field, in head: RequestHead) -> [Problem.Fault] {
        let values = head.query.filter { $0.0 == field.name }.map { $0.1 }
        guard values.count <= 1 else { return [Problem.Fault(field: field.name, expected: "once")] }
        // A text may consist of digits.
        let isNumber = if case .integer = field.schema { true } else { false }
        return values.flatMap { field.schema.faults(of: isNumber ? JSONValue(parameter: $0) : .text($0), at: field.name) }
    }

    private static func mediaType(of request: Request) -> String {
        (request.head.headers["content-type"] ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    }

    /// What it holds is its route's to check.
    private static func file(of request: Request, _ types: [String]) async throws -> [UInt8] {
        guard types.contains(mediaType(of: request)) else {
            throw Problem(.unsupportedMedia, "send \(types.joined(separator: " or "))")
        }
        return try await request.body.collect(upTo: bodyLimit)
    }

    private static func body(of request: Request, as name: String) async throws -> [UInt8] {
        guard mediaType(of: request) == "application/json" else { throw Problem(.unsupportedMedia, "send application/json") }
        let bytes = try await request.body.collect(upTo: bodyLimit)
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw Problem(.malformed, Self.noJSON(bytes, error))
        }
        let faults = Schema.reference(name).faults(of: value)
        guard faults.isEmpty else { throw Problem(.invalid, "some fields are not as they should be", faults: faults) }
        return bytes
    }

    /// Why a body is no JSON, and where: by its form, or by the field whose value the decoder cannot take, such as 1e999.
    private static func noJSON(_ bytes: [UInt8], _ error: any Error) -> String {
        if bytes.isEmpty { return "the body is no JSON: it is empty" }
        if let place = JSONPlace(ofFaultIn: bytes) { return "the body is no JSON: see \(place)" }
        guard case .typeMismatch(_, let context)? = error as? DecodingError, !context.codingPath.isEmpty else {
            return "the body is no JSON"
        }
        return "the body is no JSON: the value of \(context.codingPath.fieldPath) cannot be read"
    }

    // MARK: Answers

    static func response(to problem: Problem) -> Response {
        var response = Response.value(problem, Status(code: problem.status))
        response.headers["Content-Type"] = "application/problem+json"
        if problem.status == 401 { response.headers.add("www-authenticate", "Bearer") }
        return response
    }

    /// Live previews, and recordings from where they lie.
    private var mediaSources: String { (["'self'", "blob:"] + [parts.settings.bucketOrigin].compactMap(\.self)).joined(separator: " ") }

    /// The headers that every answer carries (THREATS 16).
    private func secured(_ response: Response) -> Response {
        var response = response
        response.headers.add("x-content-type-options", "nosniff")
        response.headers.add("referrer-policy", "no-referrer")
        response.headers.add("x-frame-options", "DENY")
        if !response.headers.contains("content-security-policy") {
            response.headers.add(
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src \(mediaSources); connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            )
        }
        return response
    }
}

extension Gateway.Parts {
    /// Stores what flight recorders tell, until cancelled.
    package func storeFlightRecords() async { await fleet.flights.run() }

    /// Takes up the meetings that an earlier life of this server has left: before anybody comes.
    package func begin() async { await sessions.begin() }

    /// Takes up what was running and follows the devices, until cancelled.
    package func run() async throws {
        async let noting: Void = fleet.keepNoting()
        async let watching: Void = fleet.followWatchers()
        async let keeping: Void = housekeeping.run()
        async let warning: Void = followCertificates()
        async let telling: Void = fleet.tellPresence()
        async let reporting: Void = reporter.run()
        async let alerting: Void = alerts.run()
        async let meeting: Void = rooms.run()
        async let recording: Void = recordings.run()
        async let seating: Void = followSessionsOfRooms()
        async let exporting: Void = export()
        async let linking: Void = gate.sendResetLinks { [log] error in
            log.error("a link for a new password was not made", ["error": "\(error)"])
        }
        try await broadcasts.run()
        try await keeping
        await warning
        await noting
        await watching
        await linking
        await telling
        await reporting
        await alerting
        await meeting
        await recording
        await seating
        await exporting
    }

    private var housekeeping: Housekeeping {
        Housekeeping(
            store: store, postman: postman, courier: courier, blobs: blobs, recordings: recordings, tracer: traces?.tracer,
            folder: settings.stateFolder, retention: settings.retention, log: log,
            check: { _ = try await phoneHome(.scheduled, try await checkHealth(.scheduled)) },
            endMeetings: {
                let rooms = try await store.endForgottenMeetings(telling: { await users(in: $0) }, by: farewell)
                for room in rooms { await sessions.close(room) }
            },
            lookForReleases: { await updates.check() }, warnOfEnds: { try await warnOfEnds() })
    }

    /// Whenever another certificate is served; the timetable looks each hour besides.
    private func followCertificates() async {
        for await _ in health.certificates.changes {
            do {
                try await warnOfEnds()
            } catch {
                log.error("nobody could be told of what ends soon; it is tried again within an hour", ["error": "\(error)"])
            }
        }
    }

    /// Has people told by mail of what of theirs ends soon (PRV-19).
    private func warnOfEnds() async throws {
        guard postman != nil else { return }
        let letters = Letters(settings.links)
        var ends: [Expiry.Credential: Timestamp] = [:]
        let now = Int(store.now.unixSeconds)
        for (kind, term) in await health.certificates.terms where kind != .server || term.isOverdue(at: now) {
            ends[kind.credential] = Timestamp(unixMs: Int64(term.end) * 1000)
        }
        try await store.expiries.tell(of: ends) { letters.expiry(to: $0, of: $1) }
    }

    private func export() async { await traces?.exporter.run() }
}
