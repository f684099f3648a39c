import HTTP
import Posix
import Web
import Wire

/// What boards fetch of releases, as `strata-provision release publish` has put it into the state folder: files by their digests, lists of
/// keys by their numbers, signed releases by their versions.
///
/// For anybody: nothing of it is secret, and a board believes what is signed (Common/Releases), not who hands it out. It is here that
/// bytes are counted out in parts (Range), over lines that break.
struct ReleaseRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    static let type = "application/octet-stream"

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/releases/{release}", access: .open,
                summary: "What boards fetch of releases, whole or in parts: a file by its SHA-256, a list of keys, a signed release",
                success: .file([Self.type]),
                // Counted by itself: boards that fetch take nothing from people at the same address.
                isUrgent: true, run: read)
        ]
    }

    @Sendable private func read(_ call: Call) async throws -> Response {
        guard let name = call.parameters["release"], let file = try open(name) else { throw Problem(.notFound, "there is no such release") }
        let isContent = Schemas.isDigest(name)
        var headers: Headers = [
            "Content-Type": Self.type, "Content-Disposition": "attachment",
            // A file's name is its content's; a release may be signed again, and a list is asked for until it is there.
            "Cache-Control": isContent ? "public, max-age=31536000, immutable" : "no-cache",
            // Opened by itself it is no document, whatever it holds (THREATS 13).
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        ]
        // The same after the server was restored or moved, so that a board goes on in the middle of a file.
        if let tag = isContent ? "\"\(name)\"" : file.entityTag() { headers.add("ETag", tag) }
        return Response(.ok, headers: headers, body: .file(file))
    }

    /// - Returns: nil where it is no regular file of the folder; a link counts as none.
    private func open(_ name: String) throws -> FileBody? {
        do {
            return try FileBody(adopting: Folder(parts.settings.stateFolder.releases).open(name), name: name)
        } catch let error as SystemError {
            guard DashboardFiles.absences.contains(error.code) else { throw error }
            return nil
        }
    }
}
