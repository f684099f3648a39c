import Blobs
import Fleet
import HTTP
import Recordings
import Store
import Units
import Web
import Wire

/// The library of what was recorded of broadcasts: finding, playing, removing, and how long it is kept.
struct RecordingRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/recordings", access: .user(.viewRecordings),
                summary: "The organisation's recordings, the newest first, a part of them; what was removed only where that is asked for",
                query: [
                    .optional("search", Schemas.searched), .optional("state", Schemas.choice(RecordingState.self)),
                    .optional("sender", Schemas.id), .optional("from", Schemas.time), .optional("to", Schemas.time),
                    .optional("before", Schemas.id), .optional("limit", .integer(1...Self.pageLimit)),
                ],
                success: .one("RecordingPage"), run: list),
            Route(
                method: .get, path: "/api/v1/recordings/{id}", access: .user(.viewRecordings), summary: "One recording, with its files",
                success: .one("Recording"),
                run: { call in .value(try await view(of: parts.store.recordings(in: call.scope()).find(call.id()), call)) }),
            Route(
                method: .post, path: "/api/v1/recordings/{id}/links", access: .user(.viewRecordings),
                summary: "Addresses by which whoever has them reads its files for ten minutes, with ranges; asked again there are new ones",
                success: .one("RecordingLinks", .created), problems: [.conflict, .busy], run: links),
            Route(
                method: .delete, path: "/api/v1/recordings/{id}", access: .user(.manageRecordings),
                summary: "Remove a recording for good, wherever its files are by now", success: .empty, problems: [.conflict], run: remove),
            Route(
                method: .get, path: "/api/v1/organization/recording-settings", access: .user(.viewRecordings),
                summary: "Whether broadcasts are recorded, and how long recordings are kept", success: .one("RecordingSettings"),
                run: { call in .value(try await parts.store.recordings(in: call.scope()).settings()) }),
            Route(
                method: .put, path: "/api/v1/organization/recording-settings", access: .user(.changeOrganization),
                summary: "Decide whether broadcasts are recorded, and how long recordings are kept after their broadcast's end",
                body: "RecordingSettings", success: .one("RecordingSettings"), run: change),
            Route(
                method: .get, path: "/api/v1/objects/org/{organization}/sessions/{session}/composite/{object}", access: .open,
                summary: "A file of a recording, by an address that was signed for it", query: Self.signature,
                success: .file([StoredRecordingFile.type]),
                // Counted by itself: a player asks for many parts.
                isUrgent: true, run: read),
            Route(
                method: .get, path: "/api/v1/devices/recording", access: .open,
                summary: "The WebSocket over which a receiver's host brings what it has recorded", success: .socket,
                run: { _ in .upgrade(options: DeviceDoor.recordingSocket) { socket in await parts.devices.serveRecording(socket) } }),
        ]
    }

    static let pageLimit = 200

    private static let signature: [Schema.Field] = [
        .optional("expires", .integer(0...4_102_444_800)),
        .optional("signature", .text(.init(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$", expectation: "a signature of 43 characters"))),
    ]

    // MARK: The library

    @Sendable private func list(_ call: Call) async throws -> Response {
        var query = RecordingQuery()
        query.search = call.query("search")
        query.state = call.query("state").flatMap(RecordingState.init(rawValue:))
        query.sender = call.query("sender").flatMap { DeviceID($0) }
        query.from = try time("from", call)
        query.to = try time("to", call)
        query.before = call.query("before").flatMap { RecordingID($0) }
        query.limit = call.query("limit").flatMap { Int($0) } ?? 50
        let recordings = try parts.store.recordings(in: call.scope())
        let found = try await recordings.page(query)
        let keepDays = try await recordings.settings().keepDays
        let coming = try await recordings.arriving(of: found.filter { $0.state == .uploading }.map(\.id))
        let items = found.map { RecordingView($0, keepDays: keepDays, coming: coming[$0.id]) }
        return .value(RecordingPage(items: items, next: found.count < query.limit ? nil : found.last?.id))
    }

    private func time(_ name: String, _ call: Call) throws -> Timestamp? {
        guard let text = call.query(name) else { return nil }
        guard let time = Timestamp(text: text) else {
            throw Problem(.invalid, "the query is not as it should be", faults: [.init(field: name, expected: Schemas.time.expectation)])
        }
        return time
    }

    private func view(of recording: Recording, _ call: Call) async throws -> RecordingView {
        let recordings = try parts.store.recordings(in: call.scope())
        let files = try await recordings.files(of: recording.id)
        let coming = try await recordings.arriving(of: recording.state == .uploading ? [recording.id] : [])[recording.id]
        var view = RecordingView(recording, keepDays: try await recordings.settings().keepDays, coming: coming)
        view.files = files.enumerated().map { RecordingView.File($0.element, number: $0.offset + 1) }
        return view
    }

    @Sendable private func remove(_ call: Call) async throws -> Response {
        try await parts.store.recordings(in: call.scope()).remove(call.id())
        // Nobody waits for its files, and what is left of them is removed within the hour.
        let recordings = parts.recordings
        Task { await recordings.clear() }
        return .empty
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let settings = try call.body(RecordingSettingsView.self)
        try await parts.store.recordings(in: call.scope()).change(settings)
        return .value(settings)
    }

    // MARK: Files

    @Sendable private func links(_ call: Call) async throws -> Response {
        let recordings = try parts.store.recordings(in: call.scope())
        let recording = try await recordings.find(call.id())
        let files = try await recordings.files(of: recording.id).enumerated().filter { $0.element.storedAt != nil }
        guard !files.isEmpty else { throw Problem(.conflict, "nothing of the recording is stored yet") }
        let seconds = ObjectLimits.linkSeconds
        let end = parts.store.now + .seconds(seconds)
        var items: [RecordingLinks.Link] = []
        for (index, file) in files {
            let link = try await parts.recordings.link(to: file, at: recording.place, for: seconds)
            items.append(.init(number: index + 1, url: link.url, name: Self.fileName(of: recording, index + 1, of: files.count)))
        }
        return .secret(RecordingLinks(items: items, expiresAt: end.text), .created)
    }

    /// Letters, digits and hyphens: `Camera-1-2026-11-23.mp4`.
    private static func fileName(of recording: Recording, _ number: Int, of count: Int) -> String {
        let plain = recording.name.unicodeScalars.map { scalar -> Character in
            scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(Character(scalar))) ? Character(scalar) : "-"
        }
        let date = recording.createdAt.text.prefix(10)
        return "\(String(plain.prefix(60)))-\(date)\(count > 1 ? "-\(number)" : "").mp4"
    }

    /// What is not signed for is as if it were not there.
    @Sendable private func read(_ call: Call) async throws -> Response {
        let head = call.request.head
        guard let organization = call.parameters["organization"], let session = call.parameters["session"],
            let object = call.parameters["object"],
            let key = ObjectKey("org/\(organization)/sessions/\(session)/composite/\(object)"),
            parts.signer.use(.get, key, query: head.query, at: parts.store.now.unixSeconds) == .read,
            let file = try await parts.blobs.file(key)
        else { throw Problem(.notFound, "there is no such file") }
        var response = Response(
            .ok,
            headers: [
                "Content-Type": StoredRecordingFile.type, "Cache-Control": "private, max-age=300",
                "Content-Disposition": "attachment; filename=\"\(key.name)\"",
                // Opened by itself it is no document, whatever it holds (THREATS 13).
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
                "Cross-Origin-Resource-Policy": "same-origin",
            ], body: .file(file))
        if let tag = file.entityTag() { response.headers["ETag"] = tag }
        return response
    }
}

extension RecordingView {
    /// - Parameter coming: of what is on its way.
    init(_ recording: Recording, keepDays: Int, coming: (expected: Int, arrived: Int)?) {
        let isKept = keepDays > 0 && (recording.state == .ready || recording.state == .errored)
        let percent = coming.flatMap { $0.expected > 0 ? min(100, (recording.bytes + $0.arrived) * 100 / $0.expected) : nil }
        self.init(
            id: recording.id, broadcast: recording.broadcast, sender: recording.sender, name: recording.name, state: recording.state,
            reason: recording.reason, createdAt: recording.createdAt.text, endedAt: recording.endedAt?.text,
            expiresAt: isKept ? recording.endedAt.map { ($0 + .seconds(keepDays * 86_400)).text } : nil, bytes: recording.bytes,
            durationMs: recording.durationMs, percent: percent)
    }
}

extension RecordingView.File {
    /// - Parameter number: within its recording.
    init(_ file: StoredRecordingFile, number: Int) {
        self.init(
            number: number, bytes: file.bytes, sha256: file.sha256, beganAt: file.beganAt.text, durationMs: file.durationMs,
            codecs: file.codecs, width: file.width, height: file.height, stored: file.storedAt != nil)
    }
}
