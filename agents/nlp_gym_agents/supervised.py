"""The supervised reference: logistic regression on the same features, trained on the labels that agents never see.

In a labelling environment it answers from the observation. In a reading environment, whose observation holds the
posterior of a supervised classifier already, it reads everything and gives that classifier's answer.
"""

from typing import Any

import numpy as np

from ._baseline import Baseline


class Supervised(Baseline):
    """Multinomial logistic regression (scikit-learn's, L2); its strength is chosen on a tenth of the training split."""

    dynamics = ("label", "read")
    _fitted = ("weights", "bias")
    weights, bias = np.zeros((0, 0)), np.zeros(0)

    def _fit(self) -> None:
        if self.episodes.dynamics.name == "read":
            return  # the classifier was fitted with the environment
        from sklearn.linear_model import LogisticRegression

        task = self.episodes.dynamics.task
        vectors = training_vectors(self.episodes)
        held_out = np.arange(len(vectors)) % 10 == 9
        best: tuple[float, float] = (-1.0, 1.0)
        for strength in (0.001, 0.01, 0.1, 1.0):
            model = LogisticRegression(C=strength, max_iter=300).fit(vectors[~held_out], task.train.target[~held_out])
            score = float(model.score(vectors[held_out], task.train.target[held_out]))
            best = max(best, (score, strength))
        model = LogisticRegression(C=best[1], max_iter=300).fit(vectors, task.train.target)
        classes, dimensions = len(task.answer), vectors.shape[1]
        self.weights, self.bias = np.zeros((classes, dimensions)), np.full(classes, -np.inf)
        if len(model.classes_) == 2:  # scikit-learn keeps one row of weights for two classes
            self.weights[model.classes_] = np.concatenate((-model.coef_, model.coef_)) / 2
            self.bias[model.classes_] = np.concatenate((-model.intercept_, model.intercept_)) / 2
        else:
            self.weights[model.classes_], self.bias[model.classes_] = model.coef_, model.intercept_

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        if self.episodes.dynamics.name == "read":
            finished = self.part(observation, "progress")[:, 2] == 1
            return np.where(finished, self.part(observation, "posterior").argmax(1), self.actions - 1)
        return (self.part(observation, "text") @ self.weights.T + self.bias).argmax(1)


def training_vectors(episodes: Any) -> np.ndarray:
    """The training split's texts as the agent sees them, (N, d), whichever split the environment is on."""
    from nlp_gym_envs.text.encoding import encode

    dynamics = episodes.dynamics
    return encode(dynamics.task.train, dynamics.task.train, dynamics.encoder).vectors


AGENT = Supervised
