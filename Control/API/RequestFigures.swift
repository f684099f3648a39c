import HTTP
import Posix

/// How often each route has answered with what, and how long that took (DIA-07).
///
/// What became of a connection afterwards, e.g. of a WebSocket, is no part of it. Routes are templates, so that no client can make
/// more series than there are routes.
final class RequestFigures: Sendable {
    private struct Key: Hashable {
        let route: String
        let status: Int
    }

    struct Times: Sendable, Hashable {
        /// Upper edges in seconds: what a person does not notice, notices, waits for, and gives up on.
        static let edges = [0.01, 0.05, 0.25, 1, 5]
        /// Answers in each interval, the last without an edge.
        var counts = [Int](repeating: 0, count: edges.count + 1)
        var seconds = 0.0

        mutating func add(_ time: Double) {
            counts[Self.edges.firstIndex { time <= $0 } ?? Self.edges.count] += 1
            seconds += time
        }
    }

    private struct State {
        var answers: [Key: Int] = [:]
        var times: [String: Times] = [:]
    }

    private let state = Guarded(State())

    /// - Parameter route: nil for a request that none was found for.
    func answered(_ route: Route?, _ status: Int, after time: Duration) {
        let name = route?.name ?? "none"
        state.withLock { state in
            state.answers[Key(route: name, status: status), default: 0] += 1
            state.times[name, default: Times()].add(Double(time.nanoseconds) / 1e9)
        }
    }

    func add(to figures: inout Figures) {
        let (answers, times) = state.withLock { ($0.answers, $0.times) }
        for (key, count) in answers.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            figures.add(
                .counter, "control_requests_total", "Answers of the API", Double(count), ["route": key.route, "status": "\(key.status)"])
        }
        for (route, times) in times.sorted(by: { $0.key < $1.key }) {
            figures.add(
                "control_request_seconds", "From a request's head to the answer's, bodies included that are read before", times, route)
        }
    }
}

extension Figures {
    /// A histogram: its buckets count all that was no longer than their edge.
    mutating func add(_ name: String, _ help: String, _ times: RequestFigures.Times, _ route: String) {
        var sum = 0
        for (edge, count) in zip(RequestFigures.Times.edges.map { "\($0)" } + ["+Inf"], times.counts) {
            sum += count
            add(.histogram, name, help, Double(sum), ["route": route, "le": edge], part: "_bucket")
        }
        add(.histogram, name, help, times.seconds, ["route": route], part: "_sum")
        add(.histogram, name, help, Double(sum), ["route": route], part: "_count")
    }
}
