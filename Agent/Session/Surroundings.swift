import Modems
import Portals
import Sticks
import Wire

/// What the board is connected by, as it was seen last: its links, what is in their way, and the modems and sticks behind them. Holds no
/// socket.
struct Surroundings: Sendable, Hashable {
    /// As rtnetlink has them.
    var links: [Link] = []
    /// The kernel's index of each of them, by name.
    var indices: [String: Int] = [:]
    /// By the links' names.
    var obstacles: [String: Obstacle] = [:]
    var modems: [Modem] = []
    var sticks: [Stick] = []

    /// The links that are up, those first that cost least, and those last that something is in the way of.
    var upLinks: [String] {
        func rank(_ kind: Link.Kind) -> Int {
            switch kind {
            case .ethernet: 0
            case .wifi: 1
            case .other, .virtual: 2
            case .cellular: 3
            }
        }
        func order(_ link: Link) -> (Int, Int, String) { (obstacles[link.name] == nil ? 0 : 1, rank(link.kind), link.name) }
        return links.filter { $0.state == .up }.sorted { order($0) < order($1) }.map(\.name)
    }

    /// The links with what is in their way, for a person.
    var told: [Link] {
        links.map { link in
            var link = link
            link.reason = obstacles[link.name]?.words(on: link.name)
            return link
        }
    }

    /// What is in the links' way, in words, by their names.
    var obstructions: [String: String] { Dictionary(uniqueKeysWithValues: obstacles.map { ($0.key, $0.value.words(on: $0.key)) }) }

    /// Numbers of the SIM cards, by the links that they carry.
    var simNumbers: [String: String] {
        var numbers: [String: String] = [:]
        for stick in sticks { numbers[stick.link] = stick.simNumber }
        for modem in modems { for interface in modem.interfaces { numbers[interface] = modem.simNumber } }
        return numbers
    }

    /// Of modems and sticks.
    var modemFigures: [ModemTelemetry] {
        let names = Set(links.map(\.name))
        return modems.map { modem in
            var figures = modem.figures
            figures.link = modem.interfaces.first(where: names.contains)
            return figures
        } + sticks.map(\.figures)
    }

    /// The interfaces of modems that ModemManager has.
    var modemInterfaces: Set<String> { Set(modems.flatMap(\.interfaces)) }

    /// What is behind a modem's id, as it was told: a modem or a stick; nil where there is none.
    func device(_ id: String) -> Device? {
        if let modem = modems.first(where: { $0.figures.id == id }) { return .modem(modem) }
        return sticks.first { $0.figures.id == id }.map { .stick($0) }
    }

    enum Device: Sendable, Hashable {
        case modem(Modem)
        case stick(Stick)

        /// What goes with it.
        var interfaces: [String] {
            switch self {
            case .modem(let modem): modem.interfaces
            case .stick(let stick): [stick.link]
            }
        }
    }
}
