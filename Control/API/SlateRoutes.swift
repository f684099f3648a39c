import Blobs
import HTTP
import Store
import Web
import Wire

/// The picture that an organisation's outputs show while a sender is silent.
struct SlateRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    private static let types = ["image/png", "image/jpeg"]

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization/slate", access: .user(.viewOrganization),
                summary: "The picture that is shown while a sender is silent", success: .file(Self.types), problems: [.notFound],
                run: find),
            Route(
                method: .put, path: "/api/v1/organization/slate", access: .user(.changeOrganization),
                summary: "Show this PNG or JPEG file of at most 96 KiB while a sender is silent, from the next broadcast on",
                file: Self.types, success: .empty, problems: [.invalid, .tooLarge, .unsupportedMedia, .busy], run: replace),
            Route(
                method: .delete, path: "/api/v1/organization/slate", access: .user(.changeOrganization),
                summary: "Show the receiver's own picture again, from the next broadcast on", success: .empty, problems: [.notFound],
                run: remove),
        ]
    }

    @Sendable private func find(_ call: Call) async throws -> Response {
        guard let picture = try await parts.store.slates(in: call.scope()).find() else {
            throw Problem(.notFound, "the organisation has no picture of its own")
        }
        return Response(
            .ok, headers: ["Content-Type": "image/\(picture.kind.rawValue)", "Cache-Control": "no-store"], body: .bytes(picture.bytes))
    }

    @Sendable private func replace(_ call: Call) async throws -> Response {
        let picture: OwnPicture
        do {
            picture = try OwnPicture(call.bytes)
        } catch let refusal {
            throw Problem(.invalid, "\(refusal)")
        }
        // As every file that somebody sends.
        guard try DiskSpace(of: parts.settings.stateFolder.path).isAmple else { throw BlobError.diskFull }
        try await parts.store.slates(in: call.scope()).replace(with: picture)
        return .empty
    }

    @Sendable private func remove(_ call: Call) async throws -> Response {
        try await parts.store.slates(in: call.scope()).remove()
        return .empty
    }
}
