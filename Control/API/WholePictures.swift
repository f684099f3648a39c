import Posix
import Units
import Web

/// What pages begin with: read once for all of an organisation that begin within a second, as a page goes on from the number that its picture is of.
actor WholePictures {
    struct Picture: Sendable {
        let texts: [SharedText]
        /// Of the feed, when it began to be read.
        let number: Int
    }

    private struct Reading {
        let task: Task<Picture, any Error>
        let begunAt: Instant
    }

    private var readings: [OrganizationID: Reading] = [:]

    private static let lasts = Duration.seconds(1)

    func picture(
        of organization: OrganizationID, from number: Int, reading: @escaping @Sendable () async throws -> [String]
    ) async throws -> Picture {
        let now = Instant.now
        readings = readings.filter { now - $0.value.begunAt < Self.lasts }
        // Not the page's own task, which ends when the page leaves.
        let task = readings[organization]?.task ?? Task { Picture(texts: try await reading().map(SharedText.init), number: number) }
        if readings[organization] == nil { readings[organization] = Reading(task: task, begunAt: now) }
        do { return try await task.value } catch {
            readings[organization] = nil
            throw error
        }
    }
}
