import Bonding
import Configuration
import Wire

extension LinkRule {
    /// What a link of this kind costs under the rule.
    func cost(of kind: Link.Kind) -> LinkTraits.Cost {
        switch cost {
        case .free: .free
        case .metered: .metered
        case .lastResort: .lastResort
        case nil: kind == .cellular ? .metered : .free
        }
    }
}
