import Auth
import Blobs
import HTTP
import Store
import Units
import Web
import Wire

/// Files of organisations: sent to and read from addresses, which are signed where that is asked for (SEC-18, STO-07). One route for
/// each area, so that each says who may.
struct BlobRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    static let types = PictureFile.Kind.allCases.map(\.mediaType)

    var routes: [Route] { BlobArea.allCases.flatMap { [reading($0), writing($0)] } }

    private func reading(_ area: BlobArea) -> Route {
        let isSigned = area.reading == .signed
        return Route(
            method: .get, path: Self.path(area, organization: "{organization}", name: "{name}"), access: .open,
            summary: isSigned ? "A picture of a person, by an address that is signed for it" : "A picture of an organisation's pages",
            query: isSigned ? Self.query : [], success: .file(Self.types), run: { try await read(area, $0) })
    }

    private func writing(_ area: BlobArea) -> Route {
        Route(
            method: .put, path: Self.path(area, organization: "{organization}", name: "{name}"),
            access: .user(area == .branding ? .changeOrganization : .manageOwnAccount),
            summary: "Send a file to the address that was signed for it and for this session", query: Self.query, file: Self.types,
            success: .empty, problems: [.quota, .busy], run: { try await write(area, $0) })
    }

    private static let query: [Schema.Field] = [
        .optional("expires", .integer(0...4_102_444_800)),
        .optional("signature", .text(.init(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$", expectation: "a signature of 43 characters"))),
    ]

    private static func path(_ area: BlobArea, organization: String, name: String) -> String {
        "/api/v1/blobs/\(area.rawValue)/\(organization)/\(name)"
    }

    /// Below the origin, without a query.
    static func path(_ key: BlobKey) -> String { path(key.area, organization: key.organization.text, name: key.name) }

    private func key(_ area: BlobArea, _ call: Call) throws -> BlobKey {
        guard let name = call.parameters["name"], let key = BlobKey(name, in: area, of: try call.id("organization")) else {
            throw Problem(.notFound)
        }
        return key
    }

    /// Whether the query has a signature of a permit that is good now.
    private func isSigned(_ use: BlobPermit.Use, _ key: BlobKey, _ call: Call) -> Bool {
        guard let expires = call.query("expires").flatMap({ Int64($0) }), let signature = call.query("signature") else { return false }
        return parts.signer.accepts(signature, for: BlobPermit(use, key, until: expires), at: parts.store.now.unixSeconds)
    }

    /// What is not signed for is as if it were not there.
    private func read(_ area: BlobArea, _ call: Call) async throws -> Response {
        let key = try self.key(area, call)
        let scope = OrganizationScope(key.organization, by: .visitor(address: call.origin.address))
        guard area.reading == .anybody || isSigned(.read, key, call), try await parts.store.files(in: scope).find(key) != nil,
            let bytes = try await parts.blobs.read(key)
        else { throw Problem(.notFound, "there is no such file") }
        // Its name changes with its content. What is signed is kept by its reader alone, and no longer than it is good.
        let keeping = area.reading == .anybody ? "public, max-age=31536000, immutable" : "private, max-age=300"
        return Response(
            .ok,
            headers: [
                "Content-Type": key.kind.mediaType, "Cache-Control": keeping, "Content-Disposition": "attachment; filename=\"\(key.name)\"",
                // Opened by itself it is no document, whatever it holds (THREATS 13).
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
                "Cross-Origin-Resource-Policy": "same-origin",
            ], body: .bytes(bytes))
    }

    private func write(_ area: BlobArea, _ call: Call) async throws -> Response {
        let key = try self.key(area, call), caller = try call.caller(), bytes = call.bytes
        let isHere = try isSigned(.write(caller.session.id, bytes: bytes.count), key, call)
        guard key.organization == caller.user.organization, isHere else {
            throw Problem(.invalid, "the address is signed for another file, session or time: ask for a new one")
        }
        let picture: PictureFile
        do {
            picture = try PictureFile(bytes, for: area)
        } catch let refusal {
            throw Problem(.invalid, "\(refusal)")
        }
        guard BlobKey(bytes, picture.kind, in: area, of: key.organization) == key else {
            throw Problem(.invalid, "the file is not the one that the address was signed for")
        }
        let files = try parts.store.files(in: call.scope())
        try await files.admit(key, bytes: bytes.count)
        try await parts.blobs.write(bytes, to: key)
        try await files.add(key, bytes: bytes.count)
        return .empty
    }
}

extension Gateway.Parts {
    /// Signs an address for a file that is about to be sent.
    func upload(to area: BlobArea, _ call: Call) throws -> Response {
        let request = try call.body(UploadRequest.self)
        let caller = try call.caller()
        guard let key = BlobKey("\(request.sha256).\(request.kind)", in: area, of: caller.user.organization) else {
            throw Problem(.invalid, faults: [.init(field: "sha256", expected: Schemas.digest.expectation)])
        }
        guard request.bytes <= area.mostBytes else {
            throw Problem(.invalid, faults: [.init(field: "bytes", expected: "at most \(area.mostBytes)")])
        }
        let now = store.now.unixSeconds
        let end = BlobSigner.writeEnd(now)
        let permit = BlobPermit(.write(try caller.session.id, bytes: request.bytes), key, until: end)
        let url = "\(BlobRoutes.path(key))?expires=\(end)&signature=\(signer.signature(of: permit))"
        return .secret(UploadView(url: url, name: key.name, expiresInSeconds: Int(end - now)))
    }

    /// Where a file is read that is called so.
    func address(of name: String?, in area: BlobArea, of organization: OrganizationID) -> String? {
        guard let key = name.flatMap({ BlobKey($0, in: area, of: organization) }) else { return nil }
        guard area.reading == .signed else { return BlobRoutes.path(key) }
        let end = BlobSigner.readEnd(store.now.unixSeconds)
        return "\(BlobRoutes.path(key))?expires=\(end)&signature=\(signer.signature(of: BlobPermit(.read, key, until: end)))"
    }
}
