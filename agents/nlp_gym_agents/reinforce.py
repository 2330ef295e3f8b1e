"""REINFORCE with a learned baseline, for Discrete actions and the rows of a VecEnv.

Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement learning"; the form
with a state-value baseline is that of Sutton & Barto (2018), section 13.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback, Schedule
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from ._store import Parameters, StoredAgent, check_number


@dataclass
class _Steps:
    """Steps of all B rows in the order of time; `fresh` marks those that no update has used."""

    observations: list[NDArray[np.float32]] = field(default_factory=list)  # (B, d) each
    masks: list[NDArray[np.bool_]] = field(default_factory=list)  # (B, A) each
    actions: list[NDArray[np.int64]] = field(default_factory=list)  # (B,) each, as are the following
    rewards: list[NDArray[np.float64]] = field(default_factory=list)
    dones: list[NDArray[np.bool_]] = field(default_factory=list)
    fresh: list[NDArray[np.bool_]] = field(default_factory=list)

    def finished_episodes(self) -> int:
        """Return how many finished episodes no update has used."""
        return sum(int((fresh & dones).sum()) for fresh, dones in zip(self.fresh, self.dones, strict=True))

    def take_finished(self, gamma: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return observations (N, d), masks (N, A), actions (N,) and returns-to-go (N,) of the finished episodes.

        Steps of unfinished episodes stay for the next call.
        """
        dones, fresh = np.stack(self.dones), np.stack(self.fresh)  # (T, B)
        returns = np.stack(self.rewards)  # (T, B)
        for step in range(len(returns) - 2, -1, -1):
            returns[step] += gamma * np.where(dones[step], 0.0, returns[step + 1])
        finished = np.flip(np.logical_or.accumulate(np.flip(dones, axis=0), axis=0), axis=0)
        taken = fresh & finished
        stacks = np.stack(self.observations), np.stack(self.masks), np.stack(self.actions), returns
        observations, masks, actions, returns = (stack[taken] for stack in stacks)
        left = fresh & ~finished
        first = int(left.any(axis=1).argmax()) if left.any() else len(left)
        for column in (self.observations, self.masks, self.actions, self.rewards, self.dones):
            del column[:first]
        self.fresh = list(left[first:])
        return observations, masks, actions, returns


class REINFORCE(StoredAgent):
    """Monte-Carlo policy gradient: two small networks, one for the policy and one for the value of a state.

    An update follows once `episodes_per_update` episodes have finished, over all rows. Its returns run to the end of
    the episodes; only a truncated episode adds the discounted value of its last observation. Advantages are returns
    minus the values before the update. Episodes that have not finished are kept whole for a later update, since
    leaving them out would favour short ones; their first steps then come from a policy one or a few updates older.
    As is usual, the gradient leaves out the factor gamma**t of the discounted objective.

    Masks: actions that `env.action_masks()` rules out have probability 0, in training as in its gradient.

    Args:
        policy: "MlpPolicy".
        env: VecEnv, Gymnasium env or id; observations Box(d,), actions Discrete(A). None if set later by `load`.
        learning_rate: of Adam, above 0; or "lin_0.003" or a function of the remaining progress (1 to 0).
        gamma: discount, in [0, 1].
        episodes_per_update: finished episodes that make one update; 1 or more.
        n_minibatches: gradient steps on the policy per update, each on its share of the steps; 1 or more. 1 is the
            published algorithm; with more, the later ones see a policy that the earlier ones have changed.
        value_steps: gradient steps of the value regression per update, each on all steps; 0 or more.
        ent_coef: weight of the entropy bonus, 0 or more.
        max_grad_norm: gradients are scaled down to this norm; above 0.
        net_arch: widths of the hidden tanh layers of both networks; () makes them linear.
        normalize_advantage: subtract the mean of the advantages of an update and divide by their deviation.
        seed: of the agent's own random generators, of its first weights and of the env; None draws one.
    """

    policy_name = "MlpPolicy"

    def __init__(
        self,
        policy: str,
        env: GymEnv | str | None,
        *,
        learning_rate: float | str | Schedule = 3e-3,
        gamma: float = 0.99,
        episodes_per_update: int = 32,
        n_minibatches: int = 1,
        value_steps: int = 10,
        ent_coef: float = 0.01,
        max_grad_norm: float = 0.5,
        net_arch: Sequence[int] = (64, 64),
        normalize_advantage: bool = True,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        check_number("episodes_per_update", episodes_per_update, 1)
        check_number("n_minibatches", n_minibatches, 1)
        check_number("value_steps", value_steps, 0)
        check_number("ent_coef", ent_coef, 0.0)
        check_number("max_grad_norm", max_grad_norm, 0.0, above=True)
        for width in net_arch:
            check_number("net_arch: width", width, 1)
        self.episodes_per_update, self.n_minibatches, self.value_steps = episodes_per_update, n_minibatches, value_steps
        self.ent_coef, self.max_grad_norm = ent_coef, max_grad_norm
        self.net_arch, self.normalize_advantage = tuple(net_arch), normalize_advantage
        super().__init__(policy, env, learning_rate, gamma, seed, verbose, tensorboard_log, device, stats_window_size)
        if self.env is not None:
            self._setup_model()

    def _setup_model(self) -> None:
        assert isinstance(self.observation_space, spaces.Box)
        self._setup_lr_schedule()
        self.set_random_seed(self.seed)
        generator = torch.Generator().manual_seed(self._initial_seed)
        widths = (self.observation_space.shape[0], *self.net_arch)
        # A small last layer makes the first policy nearly uniform, as in PPO of SB3.
        self.policy_net = _network((*widths, self.n_actions), 0.01, generator).to(self.device)
        self.value_net = _network((*widths, 1), 1.0, generator).to(self.device)
        self.policy_optimizer = torch.optim.Adam(self.policy_net.parameters())
        self.value_optimizer = torch.optim.Adam(self.value_net.parameters())
        self._steps = _Steps()

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array, dtype=np.float32), device=self.device)

    def _logits(self, observations: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        # Finite, so that p * log p of a masked action is 0 and not nan; exp(-1e8) is exactly 0.
        return self.policy_net(observations).masked_fill(~masks, -1e8)

    @torch.no_grad()
    def values(self, observations: Any) -> NDArray[np.float32]:
        """Return the estimated values (B,) of the states with observations (B, d)."""
        return self.value_net(self._tensor(observations))[:, 0].cpu().numpy()

    @torch.no_grad()
    def action_probabilities(self, observations: Any, masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the probabilities (B, A) of the actions for observations (B, d) and masks (B, A)."""
        return self._logits(self._tensor(observations), self._mask_tensor(masks)).softmax(dim=1).cpu().numpy()

    def _mask_tensor(self, masks: NDArray[np.bool_]) -> torch.Tensor:
        return torch.as_tensor(np.array(masks), device=self.device)

    def _sample(
        self, observations: NDArray[Any], masks: NDArray[np.bool_], generator: np.random.Generator | None
    ) -> NDArray[np.int64]:
        """Return one action per row; the most probable without a generator."""
        with torch.no_grad():
            logits = self._logits(self._tensor(observations), self._mask_tensor(masks)).cpu().numpy()
        if generator is not None:
            # The largest of logits plus Gumbel noise is a sample of their softmax.
            logits = logits + generator.gumbel(size=logits.shape)
        return np.where(masks, logits, -np.inf).argmax(axis=1)

    def _choose(self, observations: NDArray[Any], masks: NDArray[np.bool_], deterministic: bool) -> NDArray[np.int64]:
        return self._sample(observations, masks, None if deterministic else self._prediction_generator)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int | None = 1,
        tb_log_name: str = "REINFORCE",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Take `total_timesteps` steps, over all rows, and update in between; `log_interval` counts updates.

        Where the steps end before enough episodes have finished, the last update uses those that have.
        """
        env = self._training_env()
        if reset_num_timesteps or self._last_obs is None:
            self._steps = _Steps()
        total_timesteps, callback = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        callback.on_training_start(locals(), globals())
        iteration = 0
        while self.num_timesteps < total_timesteps:
            if not self._collect(env, callback, total_timesteps):
                break
            self._update_current_progress_remaining(self.num_timesteps, total_timesteps)
            iteration += 1
            self.train()
            if log_interval is not None and iteration % log_interval == 0:
                self.dump_logs()
        callback.on_training_end()
        return self

    def _collect(self, env: VecEnv, callback: BaseCallback, total_timesteps: int) -> bool:
        """Step until enough episodes have finished or the steps are used up; False when the callback stops it."""
        episodes = self._steps.finished_episodes()
        callback.on_rollout_start()
        while episodes < self.episodes_per_update and self.num_timesteps < total_timesteps:
            observations = np.array(self._last_obs, dtype=np.float32)  # (B, d)
            masks = self._current_masks(env)
            actions = self._sample(observations, masks, self._generator)
            new_obs, rewards, dones, infos = env.step(actions)
            self.num_timesteps += env.num_envs
            self._last_obs = np.asarray(new_obs)
            callback.update_locals(locals())
            keep_going = callback.on_step()
            self._keep(observations, masks, actions, rewards, dones, infos)
            if dones.any():
                self._update_info_buffer(infos, dones)
                episodes += int(dones.sum())
            if not keep_going:
                return False
        callback.on_rollout_end()
        return True

    def _keep(
        self,
        observations: NDArray[np.float32],
        masks: NDArray[np.bool_],
        actions: NDArray[np.int64],
        rewards: Any,
        dones: NDArray[np.bool_],
        infos: list[dict[str, Any]],
    ) -> None:
        rewards = np.array(rewards, dtype=np.float64)
        truncated = [row for row in np.flatnonzero(dones) if infos[row].get("TimeLimit.truncated", False)]
        if truncated:
            last = np.stack([infos[row]["terminal_observation"] for row in truncated])
            rewards[truncated] += self.gamma * self.values(last)
        steps = self._steps
        steps.observations.append(observations)
        steps.masks.append(masks)
        steps.actions.append(actions)
        steps.rewards.append(rewards)
        steps.dones.append(np.array(dones, dtype=bool))
        steps.fresh.append(np.ones(len(rewards), dtype=bool))

    def train(self) -> None:
        """Update both networks with the episodes that have finished since the last update, if there are any."""
        if self._steps.finished_episodes() == 0:
            return
        observations, masks, actions, returns = self._steps.take_finished(self.gamma)
        self._update_learning_rate([self.policy_optimizer, self.value_optimizer])
        values = self.values(observations)
        advantages = returns - values
        if self.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        inputs = self._tensor(observations)
        self._train_policy(inputs, self._mask_tensor(masks), torch.as_tensor(actions), self._tensor(advantages))
        self._train_value(inputs, self._tensor(returns))
        self._n_updates += 1
        self.logger.record("train/explained_variance", explained_variance(values, returns))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")

    def _train_policy(
        self, observations: torch.Tensor, masks: torch.Tensor, actions: torch.Tensor, advantages: torch.Tensor
    ) -> None:
        """Take one gradient step per minibatch of observations (N, d), masks (N, A), actions and advantages (N,)."""
        order = np.arange(len(actions)) if self.n_minibatches == 1 else self._generator.permutation(len(actions))
        for part in np.array_split(order, min(self.n_minibatches, len(order))):
            rows = torch.as_tensor(part, device=self.device)
            log_probabilities = self._logits(observations[rows], masks[rows]).log_softmax(dim=1)  # (n, A)
            chosen = log_probabilities.gather(1, actions.to(self.device)[rows, None])[:, 0]  # (n,)
            entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1).mean()
            policy_loss = -(advantages[rows] * chosen).mean()
            self._gradient_step(self.policy_net, self.policy_optimizer, policy_loss - self.ent_coef * entropy)
            self.logger.record_mean("train/policy_gradient_loss", policy_loss.item())
            self.logger.record_mean("train/entropy_loss", -entropy.item())

    def _train_value(self, observations: torch.Tensor, returns: torch.Tensor) -> None:
        for _ in range(self.value_steps):
            loss = nn.functional.mse_loss(self.value_net(observations)[:, 0], returns)
            self._gradient_step(self.value_net, self.value_optimizer, loss)
            self.logger.record_mean("train/value_loss", loss.item())

    def _gradient_step(self, network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), self.max_grad_norm)
        optimizer.step()

    def get_parameters(self) -> Parameters:
        """Return copies of the weights of both networks and of the moments of their optimisers."""
        return {
            "policy": _to_arrays(self.policy_net.state_dict()),
            "value": _to_arrays(self.value_net.state_dict()),
            "policy_optimizer": _to_arrays(_moments(self.policy_optimizer)),
            "value_optimizer": _to_arrays(_moments(self.value_optimizer)),
        }

    def _write_parameters(self, parameters: Parameters) -> None:
        for name, network in (("policy", self.policy_net), ("value", self.value_net)):
            network.load_state_dict({key: torch.as_tensor(array) for key, array in parameters[name].items()})
        for name, optimizer in (("policy", self.policy_optimizer), ("value", self.value_optimizer)):
            _set_moments(optimizer, parameters[f"{name}_optimizer"])


def _network(widths: Sequence[int], last_gain: float, generator: torch.Generator) -> nn.Sequential:
    """Return linear layers with tanh in between, orthogonal weights from the generator alone and biases of 0."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
        # skip_init: the layer's own first weights would come from the global generator.
        layer: Any = nn.utils.skip_init(nn.Linear, inputs, outputs)
        last = len(layers) == 2 * (len(widths) - 2)
        nn.init.orthogonal_(layer.weight, last_gain if last else 2.0**0.5, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer] if last else [layer, nn.Tanh()]
    return nn.Sequential(*layers)


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the state of Adam by "parameter.name"; before its first step zeros, which mean the same."""
    moments = {}
    for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
        state = optimizer.state.get(parameter) or {}
        moments[f"{number}.step"] = state.get("step", torch.tensor(0.0))
        for name in ("exp_avg", "exp_avg_sq"):
            moments[f"{number}.{name}"] = state.get(name, torch.zeros_like(parameter))
    return moments


def _set_moments(optimizer: torch.optim.Optimizer, arrays: dict[str, NDArray[Any]]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, array in arrays.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = torch.as_tensor(array)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _to_arrays(tensors: dict[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


AGENT = REINFORCE
