"""The metrics once more, as their papers write them: loops, plain numpy, and no sharing.

The sampled ones ask for a representation of factors, as the papers do, and not for a set of
examples; their classifiers are fitted to latents as they are.
"""

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC


def entropy(probabilities):
    return -sum(p * np.log(p) for p in probabilities if p > 0)


def bins_of(latent, bins=20):
    """Numbers of the bins of `np.histogram`, whose last one has its right end too."""
    edges = np.histogram(latent, bins)[1]
    return np.array([min(np.searchsorted(edges, v, side="right") - 1, bins - 1) for v in latent])


def information(a, b):
    """I(a; b) = sum over values of p(a, b) log p(a, b) / p(a) p(b)."""
    total = 0.0
    for u in set(a.tolist()):
        for v in set(b.tolist()):
            both, p, q = np.mean((a == u) & (b == v)), np.mean(a == u), np.mean(b == v)
            total += both * np.log(both / (p * q)) if both else 0.0
    return total


def informations(latents, factors):
    binned = [bins_of(latent) for latent in latents.T]
    return np.array([[information(z, v) for v in factors.T] for z in binned])


def mig(latents, factors):
    gaps = []
    for column, factor in zip(informations(latents, factors).T, factors.T, strict=True):
        second, first = sorted(column)[-2:]
        gaps.append((first - second) / entropy([np.mean(factor == v) for v in set(factor)]))
    return np.mean(gaps)


def modularity(latents, factors):
    scores = []
    for row in informations(latents, factors):
        best = max(row)
        template = [best if m == best else 0.0 for m in row]
        spread = sum((m - t) ** 2 for m, t in zip(row, template, strict=True))
        scores.append(1 - spread / (best**2 * (len(row) - 1)))
    return np.mean(scores)


def sap_continuous(latents, factors):
    gaps = []
    for factor in factors.T:
        scores = sorted(np.corrcoef(latent, factor)[0, 1] ** 2 for latent in latents.T)
        gaps.append(scores[-1] - scores[-2])
    return np.mean(gaps)


def sap_classes(train, train_factors, test, test_factors):
    gaps = []
    for k in range(train_factors.shape[1]):
        scores = []
        for i in range(train.shape[1]):
            machine = LinearSVC(C=0.01, class_weight="balanced")
            machine.fit(train[:, [i]], train_factors[:, k])
            scores.append(np.mean(machine.predict(test[:, [i]]) == test_factors[:, k]))
        second, first = sorted(scores)[-2:]
        gaps.append(first - second)
    return np.mean(gaps)


def dci_of(importance):
    """Disentanglement and completeness."""
    latents, factors = importance.shape
    disentanglement = completeness = 0.0
    for i in range(latents):
        if sum(importance[i]):
            p = importance[i] / sum(importance[i])
            weight = sum(importance[i]) / importance.sum()
            disentanglement += weight * (1 - entropy(p) / np.log(factors))
    for k in range(factors):
        p = importance[:, k] / sum(importance[:, k])
        weight = sum(importance[:, k]) / importance.sum()
        completeness += weight * (1 - entropy(p) / np.log(latents))
    return disentanglement, completeness


def dci_boosted(train, train_factors, test, test_factors):
    importance, accuracy = [], []
    for k in range(train_factors.shape[1]):
        model = GradientBoostingClassifier(random_state=1).fit(train, train_factors[:, k])
        importance.append(model.feature_importances_)
        accuracy.append(np.mean(model.predict(test) == test_factors[:, k]))
    return *dci_of(np.array(importance).T), np.mean(accuracy)


def factor_vae(represent, draw, generator, batch=64, votes=1500):
    """Accuracy of the majority vote on votes of its own."""
    scale = np.std(represent(draw(10_000)), axis=0)
    tables = []
    for _ in range(2):
        table = np.zeros((len(scale), draw(1).shape[1]))
        for _ in range(votes):
            factors = draw(batch)
            k = generator.integers(factors.shape[1])
            factors[:, k] = factors[0, k]
            variances = np.var(represent(factors) / scale, axis=0, ddof=1)
            table[np.argmin(variances), k] += 1
        tables.append(table)
    chosen = tables[0].argmax(axis=1)
    return sum(row[k] for row, k in zip(tables[1], chosen, strict=True)) / votes


def beta_vae(represent, draw, generator, batch=64, points=1500):
    """Accuracy of the linear classifier on points of its own."""
    sets = []
    for _ in range(2):
        z, y = [], []
        for _ in range(points):
            first, second = draw(batch), draw(batch)
            y.append(generator.integers(first.shape[1]))
            second[:, y[-1]] = first[:, y[-1]]
            z.append(np.mean(np.abs(represent(first) - represent(second)), axis=0))
        sets.append((np.array(z), np.array(y)))
    model = LogisticRegression(max_iter=10_000).fit(*sets[0])
    return np.mean(model.predict(sets[1][0]) == sets[1][1])
